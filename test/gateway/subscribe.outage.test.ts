import { describe, expect, it } from '@jest/globals';
import type { Result } from '../../gateway/subscribe.answer.js';
import { throughOutage } from '../../gateway/subscribe.outage.js';

const outage = { message: 'away', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } };
const event: Result = { data: { paymentEvents: { cursor: 'c', payment: {} } } };
const never = new AbortController().signal;

/** Answers with each of these in turn, then with the last one for ever. */
function answering(...results: readonly [Result, ...Result[]]) {
  let asked = 0;
  const resolve = async (): Promise<Result> => {
    asked += 1;
    return results[asked - 1] ?? results.at(-1) ?? results[0];
  };
  return { resolve, asked: () => asked };
}

describe('An event during an outage', () => {
  it('is asked for until it is there, whether its own field is null or everything', async () => {
    const { resolve, asked } = answering(
      { data: null, errors: [outage] },
      { errors: [outage] },
      { data: { paymentEvents: null }, errors: [outage] },
      event,
    );
    expect(await throughOutage(resolve, never)).toBe(event);
    expect(asked()).toBe(4);
  });

  it('is given as it is where only a part of it is missing: its cursor is there', async () => {
    const part: Result = { data: { paymentEvents: { cursor: 'c', payment: null } }, errors: [outage] };
    const { resolve, asked } = answering(part, event);
    expect(await throughOutage(resolve, never)).toBe(part);
    expect(asked()).toBe(1);
  });

  it('is not waited for when anything else is wrong with it: what follows would wait for ever', async () => {
    for (const code of ['NOT_FOUND', 'FORBIDDEN', 'INTERNAL_SERVER_ERROR']) {
      const refused: Result = { data: null, errors: [{ message: 'no', extensions: { code, transient: true } }] };
      const { resolve, asked } = answering(refused, event);
      expect(await throughOutage(resolve, never)).toBe(refused);
      expect(asked()).toBe(1);
    }
  });

  it('is given up when the outage lasts: its stream ends, and its client resumes before it', async () => {
    const { resolve, asked } = answering({ data: null, errors: [outage] });
    expect(await throughOutage(resolve, never, 400)).toBeNull();
    expect(asked()).toBeGreaterThan(1);
  });

  it('is not asked for again when nobody waits for it any more', async () => {
    const { resolve, asked } = answering({ data: null, errors: [outage] });
    const leaving = new AbortController();
    const waiting = throughOutage(resolve, leaving.signal);
    leaving.abort();
    expect(await waiting).toBeNull();
    expect(asked()).toBe(1);
  });
});
