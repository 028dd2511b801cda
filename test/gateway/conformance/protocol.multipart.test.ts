import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../../support/small-graph.js';

// By Apollo's "Multipart HTTP protocol for GraphQL subscriptions" and RFC 2046, beside subscribe.multipart.test.ts.

let graph: SmallGraph;
let token: string;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
  token = await graph.token('TRAVELER', 'trv_us_one');
  for (const sequence of [1, 2, 3]) await graph.happen('pay_1', sequence);
});
afterAll(() => graph.close());

const EVENTS = 'subscription { paymentEvents(paymentId: "pay_1") { sequence } }';

/** Reads until this is in the text, or it ended. */
async function read(query: string, found: string, accept = 'multipart/mixed;subscriptionSpec=1.0, application/json') {
  const leaving = new AbortController();
  const answer = await fetch(`${graph.url}/graphql`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { accept, 'content-type': 'application/json', authorization: token },
    body: JSON.stringify({ query }),
  });
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (reader && !text.includes(found)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  leaving.abort();
  return { status: answer.status, contentType: answer.headers.get('content-type') ?? '', text };
}

/** The bodies of the parts, as any reader of multipart bodies takes them: what comes before the first boundary is none. */
function partsIn(text: string, contentType: string): { headers: string; body: string }[] {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) throw new Error(`no boundary in ${contentType}`);
  return `\r\n${text}`
    .split(`\r\n--${boundary}`)
    .slice(1)
    .filter((part) => part.startsWith('\r\n'))
    .map((part) => {
      const [headers = '', ...body] = part.slice(2).split('\r\n\r\n');
      return { headers, body: body.join('\r\n\r\n') };
    })
    .filter(({ body }) => body !== '');
}

describe("Apollo's multipart protocol", () => {
  it('is parts of JSON, each one payload or a heartbeat', async () => {
    const { text, contentType } = await read(EVENTS, '"sequence":3}}}}\r\n--graphql');
    const parts = partsIn(text, contentType);
    expect(parts.every(({ headers }) => /^content-type: application\/json/i.test(headers))).toBe(true);
    const bodies = parts.map(({ body }) => JSON.parse(body));
    expect(bodies.filter((body) => 'payload' in body)).toEqual(
      [1, 2, 3].map((sequence) => ({ payload: { data: { paymentEvents: { sequence } } } })),
    );
    expect(bodies.filter((body) => !('payload' in body)).every((body) => JSON.stringify(body) === '{}')).toBe(true);
  });

  it.each([
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9',
    'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0", application/json',
    'multipart/mixed;subscriptionSpec=1.0',
    'application/json;q=0.9, multipart/mixed;SubscriptionSpec=1.0',
  ])('is spoken with a client that asks for it so: %s', async (accept) => {
    const { contentType } = await read(EVENTS, 'payload', accept);
    expect(contentType).toMatch(/^multipart\/mixed;.*subscriptionSpec=1\.0/);
  });

  it('is not the multipart of @defer: that one cannot carry a subscription', async () => {
    const { status, contentType } = await read(EVENTS, '}', 'multipart/mixed;deferSpec=20220824, application/json');
    expect(status).toBe(400);
    expect(contentType).toMatch(/^application\/json/);
  });

  it('has a heartbeat while nothing happens, whole with its boundary', async () => {
    const started = performance.now();
    const beat = '\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql';
    const { text } = await read('subscription { rateChanged(base: "QUIET") { rate } }', beat + beat);
    expect(text.endsWith(beat + beat)).toBe(true);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it.each([
    ['refused by its guard', 'subscription { paymentEvents(paymentId: "pay_none") { sequence } }', 'NOT_FOUND'],
    ['not valid', 'subscription { paymentEvents(paymentId: "pay_1") { nonsense } }', 'GRAPHQL_VALIDATION_FAILED'],
  ])('tells a client of a stream that is %s, and closes the body properly', async (_what, query, code) => {
    const { text, contentType } = await read(query, '--graphql--');
    if (contentType.startsWith('application/json')) {
      expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code } }] });
      return;
    }
    const last = partsIn(text, contentType).at(-1);
    const { payload, errors } = JSON.parse(last?.body ?? '{}');
    expect(errors ?? payload?.errors).toMatchObject([{ extensions: { code } }]);
    expect(text.endsWith('\r\n--graphql--\r\n')).toBe(true);
  });
});
