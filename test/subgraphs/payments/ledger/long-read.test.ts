import { beforeEach, describe, expect, it } from '@jest/globals';
import { withDeadline } from '../../../../subgraphs/kernel/deadline.js';
import { LongRead } from '../../../../subgraphs/payments/ledger/long-read.js';

let begun: PromiseWithResolvers<string>[];
let nowMs: number;
let long: LongRead<string>;
beforeEach(() => {
  begun = [];
  nowMs = 0;
  long = new LongRead(
    () => {
      const reading = Promise.withResolvers<string>();
      begun.push(reading);
      return reading.promise;
    },
    () => nowMs,
  );
});

/** Somebody who has a moment. */
const inAHurry = () => withDeadline('510', () => long.ask());
const UNDER_WAY = { code: 'SUBGRAPH_UNAVAILABLE', transient: true, details: { progress: 'UNDER_WAY' } };

describe('What takes long', () => {
  it('is read once for all who ask meanwhile, and anew for who asks after them', async () => {
    const asking = [long.ask(), long.ask()];
    begun[0]?.resolve('first');
    expect(await Promise.all(asking)).toEqual(['first', 'first']);
    const next = long.ask();
    begun[1]?.resolve('second');
    expect(await next).toBe('second');
    expect(begun).toHaveLength(2);
  });

  it('goes on when whoever asked has to leave, and is there for the next one who asks', async () => {
    await expect(inAHurry()).rejects.toMatchObject(UNDER_WAY);
    await expect(inAHurry()).rejects.toMatchObject(UNDER_WAY);
    begun[0]?.resolve('found');
    await begun[0]?.promise;
    expect(await inAHurry()).toBe('found');
    expect(begun).toHaveLength(1);
  });

  it('is read anew where nobody came for it for ten minutes', async () => {
    await expect(inAHurry()).rejects.toMatchObject(UNDER_WAY);
    begun[0]?.resolve('old');
    await begun[0]?.promise;
    nowMs = 10 * 60_000 + 1;
    const asking = long.ask();
    begun[1]?.resolve('new');
    expect(await asking).toBe('new');
  });

  it('fails for who waits for it, and is begun again by the next one', async () => {
    const asking = long.ask();
    begun[0]?.reject(new Error('the database is gone'));
    await expect(asking).rejects.toThrow('the database is gone');
    const again = long.ask();
    begun[1]?.resolve('found');
    expect(await again).toBe('found');
  });
});
