import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../../support/small-graph.js';

// By PROTOCOL.md of graphql-sse ("distinct connections") and the event stream format of HTML.

let graph: SmallGraph;
let token: string;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
  token = await graph.token('TRAVELER', 'trv_us_one');
  for (const sequence of [1, 2]) await graph.happen('pay_1', sequence);
});
afterAll(() => graph.close());

const EVENTS = 'subscription { paymentEvents(paymentId: "pay_1") { sequence } }';

interface Streamed {
  readonly status: number;
  readonly headers: Headers;
  /** Reads until this is in the text, or it ended. */
  until(found: string): Promise<string>;
  leave(): void;
}

async function open(body: object, options: { method?: 'GET' | 'POST'; accept?: string } = {}): Promise<Streamed> {
  const { method = 'POST', accept = 'text/event-stream' } = options;
  const leaving = new AbortController();
  const search = new URLSearchParams(
    Object.entries(body).map(([key, value]): [string, string] => [key, String(value)]),
  );
  const answer = await fetch(`${graph.url}/graphql${method === 'GET' ? `?${search}` : ''}`, {
    method,
    signal: leaving.signal,
    headers: {
      accept,
      authorization: token,
      // A GET must be one that no page of another origin can send unasked.
      ...(method === 'POST' ? { 'content-type': 'application/json' } : { 'apollo-require-preflight': 'true' }),
    },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  return {
    status: answer.status,
    headers: answer.headers,
    leave: () => leaving.abort(),
    until: async (found) => {
      while (reader && !text.includes(found)) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true });
      }
      return text;
    },
  };
}

/** An event stream, as a browser reads it: fields by line, one event per empty line, comments left out. */
function eventsIn(text: string): { event: string; data: string }[] {
  return text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const of = (name: string) =>
        lines
          .filter((line) => line === name || line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''));
      return { event: of('event').join(), data: of('data').join('\n') };
    });
}

describe('An event stream', () => {
  it('begins at once, before anything happened, and is not to be stored', async () => {
    const stream = await open({ query: 'subscription { rateChanged(base: "NONE") { rate } }' });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream(;|$)/);
    expect(stream.headers.get('cache-control')).toMatch(/no-(store|cache)/);
    expect(await stream.until(':\n\n')).toBe(':\n\n');
    stream.leave();
  });

  it('is one `next` for each result, each a whole result on one data line', async () => {
    const stream = await open({ query: EVENTS });
    const events = eventsIn(await stream.until('"sequence":2'));
    expect(events.map(({ event }) => event)).toEqual(['next', 'next']);
    expect(events.map(({ data }) => JSON.parse(data))).toEqual(
      [1, 2].map((sequence) => ({ data: { paymentEvents: { sequence } } })),
    );
    stream.leave();
  });

  it('has a `complete` with a data line at its end, or an EventSource would not fire it', async () => {
    const stream = await open({ query: '{ whoami }' });
    const text = await stream.until('complete\ndata:\n\n');
    expect(eventsIn(text)).toEqual([
      { event: 'next', data: '{"data":{"whoami":"TRAVELER trv_us_one"}}' },
      { event: 'complete', data: '' },
    ]);
    expect(text.endsWith('event: complete\ndata:\n\n')).toBe(true);
  });

  it('comes by GET too, to a client that can name a header', async () => {
    const stream = await open({ query: EVENTS }, { method: 'GET' });
    expect(stream.status).toBe(200);
    expect(eventsIn(await stream.until('"sequence":2'))).toHaveLength(2);
    stream.leave();
    const variables = JSON.stringify({ id: 'pay_1' });
    const query = 'subscription W($id: ID!) { paymentEvents(paymentId: $id) { sequence } }';
    const named = await open({ query, variables, operationName: 'W' }, { method: 'GET' });
    expect(await named.until('"sequence":1')).toContain('event: next');
    named.leave();
  });

  it('never runs a mutation that came by GET', async () => {
    const before = graph.notes;
    const stream = await open({ query: 'mutation { note(text: "x") }' }, { method: 'GET' });
    await stream.until('complete');
    expect(graph.notes).toBe(before);
  });

  it.each([
    ['no GraphQL', { query: '{ whoami' }, 'GRAPHQL_PARSE_FAILED'],
    [
      'not valid',
      { query: 'subscription { paymentEvents(paymentId: "pay_1") { nonsense } }' },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'wrong in its variables',
      { query: 'query ($id: ID!) { payment(id: $id) { id } }', variables: {} },
      'BAD_USER_INPUT',
    ],
    [
      'without an operation of that name',
      { query: 'query A { whoami }', operationName: 'B' },
      'OPERATION_RESOLUTION_FAILURE',
    ],
  ])(
    'tells what is %s in a `next`, with status 200: an EventSource cannot read anything else',
    async (_what, body, code) => {
      const stream = await open(body);
      expect(stream.status).toBe(200);
      const [next, complete] = eventsIn(await stream.until('complete\ndata:\n\n'));
      expect(JSON.parse(next?.data ?? '{}')).toMatchObject({ errors: [{ extensions: { code } }] });
      expect(complete).toEqual({ event: 'complete', data: '' });
    },
  );

  it('is chosen by the Accept header, also among others and by its weight', async () => {
    for (const accept of [
      'text/event-stream, */*;q=0.1',
      'application/json;q=0.5, text/event-stream',
      'TEXT/EVENT-STREAM',
    ]) {
      const stream = await open({ query: EVENTS }, { accept });
      expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
      stream.leave();
    }
  });

  it('ends, and lets go of the bus, when its client leaves', async () => {
    const streams = async () => {
      const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
      return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0);
    };
    const until = async (holds: () => Promise<boolean>) => {
      for (const deadline = Date.now() + 5_000; Date.now() < deadline; ) {
        if (await holds()) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`${await streams()} streams are open`);
    };
    await until(async () => (await streams()) === 0);
    const stream = await open({ query: EVENTS });
    await stream.until('"sequence":2');
    await until(async () => (await streams()) === 1);
    stream.leave();
    await until(async () => (await streams()) === 0);
  });
});
