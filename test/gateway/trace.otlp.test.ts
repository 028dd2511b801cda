import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callerIn, OtlpTracer } from '../../gateway/trace.otlp.js';
import { type Library, openLibrary } from '../support/library.gateway.js';
import type { Received } from '../support/library.js';
import { silent } from '../support/logger.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp.receiver.js';
import { ask, smallGraph } from '../support/small-graph.js';
import { overGraphqlWs } from '../support/subscribers.js';

const BOOKS = 'query Shelf { books { title author { name } } }';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

describe('Traces', () => {
  let stack: AsyncDisposableStack;
  let receiver: OtlpReceiver;
  let tracer: OtlpTracer;
  let library: Library;
  const open = async (trustClients = true) => {
    receiver = await OtlpReceiver.start();
    stack.defer(() => receiver.close());
    tracer = new OtlpTracer({ url: `${receiver.url}/v1/traces`, trustClients, logger: silent });
    stack.defer(() => tracer.close());
    library = await openLibrary(stack, { bus: null, tracer, fetch: { queryDeadlineMs: 2_000, retries: 1 } });
  };
  beforeEach(() => {
    stack = new AsyncDisposableStack();
  });
  afterEach(() => stack.disposeAsync());

  /** The span that a subgraph was told to be a part of. */
  const tolds = (received: readonly Received[]) => received.map(({ headers }) => String(headers['traceparent']));

  it('show a request with all that it took, and subgraphs are told which fetch they are a part of', async () => {
    await open();
    const headers = { traceparent: TRACEPARENT, tracestate: 'vendor=1' };
    expect((await ask(library, BOOKS, { headers })).errors).toBeUndefined();
    await tracer.close();
    const [request] = receiver.named('query');
    expect(request).toMatchObject({
      traceId: TRACE,
      parentSpanId: CALLER,
      traceState: 'vendor=1',
      attributes: { 'graphql.operation.name': 'Shelf', 'graphql.operation.type': 'query' },
    });
    const children = (parent: ReceivedSpan | undefined) =>
      receiver.spans.filter(({ parentSpanId }) => parentSpanId === parent?.spanId).map(({ name }) => name);
    expect(children(request).toSorted()).toEqual(['fetch authors', 'fetch books', 'prepare', 'shape', 'validate']);
    expect(children(receiver.named('prepare')[0])).toEqual(['plan']);
    for (const { traceId, startTimeUnixNano, endTimeUnixNano } of receiver.spans) {
      expect(traceId).toBe(TRACE);
      expect(endTimeUnixNano).toBeGreaterThanOrEqual(startTimeUnixNano);
      expect(startTimeUnixNano).toBeGreaterThanOrEqual(request?.startTimeUnixNano ?? 0n);
      expect(endTimeUnixNano).toBeLessThanOrEqual(request?.endTimeUnixNano ?? 0n);
    }
    for (const name of ['books', 'authors'] as const) {
      const [fetch] = receiver.named(`fetch ${name}`);
      expect(fetch?.attributes['subgraph.name']).toBe(name);
      expect(tolds(library[name].received)).toEqual([`00-${TRACE}-${fetch?.spanId}-01`]);
      expect(library[name].received[0]?.headers['tracestate']).toBe('vendor=1');
    }
    expect([...receiver.services]).toEqual(['gateway']);
  });

  it('do not believe clients unless they are to be believed', async () => {
    await open(false);
    await ask(library, BOOKS, { headers: { traceparent: TRACEPARENT, tracestate: 'vendor=1' } });
    await tracer.close();
    const [request] = receiver.named('query');
    expect(request?.parentSpanId).toBe('');
    expect(request?.traceId).not.toBe(TRACE);
    expect(tolds(library.books.received)[0]).toMatch(new RegExp(`^00-${request?.traceId}-`));
    expect(library.books.received[0]?.headers['tracestate']).toBeUndefined();
  });

  it('keep what a caller says not to be kept to themselves, and hand that on', async () => {
    await open();
    await ask(library, BOOKS, { headers: { traceparent: `00-${TRACE}-${CALLER}-00` } });
    await tracer.close();
    expect(receiver.spans).toEqual([]);
    expect(tolds(library.books.received)[0]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });

  it('hold no variable, no literal, no token and no message', async () => {
    await open();
    const secret = 'maya@example.org';
    const options = { token: 'Bearer very.secret.token', variables: { id: secret } };
    await ask(library, 'query One($id: ID!) { book(id: $id) { title } }', options);
    await ask(library, `query Two { book(id: "${secret}") { title } }`, options);
    await ask(library, 'query Three { book(id: "b1") { tittle } }', options);
    await library.authors.close();
    await ask(library, 'query Four { author(id: "a1") { name } }', options);
    await tracer.close();
    expect(receiver.named('query')).toHaveLength(4);
    expect(receiver.text).not.toMatch(/maya|secret|tittle|ECONN|127\.0\.0\.1/);
  });

  it('say what went wrong, in codes: a mistake of the client is no failure, a subgraph that is away is one', async () => {
    await open();
    await ask(library, 'query Wrong { nothing }');
    await library.books.close();
    await ask(library, 'query Away { books { title } }');
    await ask(library, 'query Broken {');
    await tracer.close();
    const of = (name: string) => receiver.spans.find(({ attributes }) => attributes['graphql.operation.name'] === name);
    expect(of('Wrong')).toMatchObject({
      attributes: { 'graphql.errors': 1, 'graphql.error.code': 'GRAPHQL_VALIDATION_FAILED' },
      status: { code: 0 },
    });
    expect(of('Away')).toMatchObject({ attributes: { 'error.type': 'SUBGRAPH_UNAVAILABLE' }, status: { code: 2 } });
    const [fetch] = receiver.named('fetch books');
    expect(fetch?.status.code).toBe(2);
    expect(fetch?.events.map(({ name }) => name)).toEqual(['attempt failed', 'attempt failed']);
    expect(receiver.named('request')).toMatchObject([{ attributes: { 'graphql.error.code': 'GRAPHQL_PARSE_FAILED' } }]);
  });

  it('of requests that share a fetch name each other', async () => {
    await open();
    // Prepared already, so that both ask within one turn.
    await ask(library, BOOKS);
    const release = Promise.withResolvers<void>();
    library.books.held = release.promise;
    const asking = [ask(library, BOOKS), ask(library, BOOKS)];
    while ((await library.metric('gateway_coalesced_fetches_total'))['subgraph="books"'] !== 1) await delay(5);
    release.resolve();
    await Promise.all(asking);
    await tracer.close();
    const [, first, second] = receiver.named('query');
    const joiner = [first, second].find((span) => span?.events.length);
    expect(joiner?.events).toEqual([{ name: 'joined a fetch under way', attributes: { 'subgraph.name': 'books' } }]);
    const [, merged] = receiver.named('fetch authors');
    const both = [first?.traceId, second?.traceId];
    expect(both).toContain(merged?.traceId);
    expect(merged?.links.map(({ traceId }) => traceId)).toEqual(both.filter((traceId) => traceId !== merged?.traceId));
  });

  it('show each event of a subscription by itself, and its beginning too', async () => {
    await open();
    const graph = await smallGraph({ inProcess: true, tracer });
    stack.defer(() => graph.close());
    const token = await graph.token('TRAVELER', 'trv_us_one');
    const query =
      'subscription Follow { paymentEvents(paymentId: "pay_1") { sequence payment { merchant { name } } } }';
    const stream = overGraphqlWs({ url: graph.url, token, query });
    await graph.happen('pay_1', 1);
    await stream.receive(1);
    await graph.happen('pay_1', 2);
    await stream.receive(2);
    stream.leave();
    await tracer.close();
    const [begun] = receiver.named('subscription');
    expect(begun?.attributes).toMatchObject({
      'network.protocol.name': 'graphql-ws',
      'graphql.operation.name': 'Follow',
    });
    const events = receiver.named('event');
    expect(events.map(({ attributes }) => attributes['graphql.operation.name'])).toEqual(['Follow', 'Follow']);
    expect(new Set([begun, ...events].map((span) => span?.traceId)).size).toBe(3);
    for (const event of events) {
      const parts = receiver.spans.filter(({ parentSpanId }) => parentSpanId === event.spanId).map(({ name }) => name);
      expect(parts.toSorted()).toEqual(['fetch merchants', 'fetch payments', 'shape']);
    }
    expect(receiver.text).not.toMatch(/pay_1|trv_us_one/);
  });

  it('that nobody takes harm nobody, and do not keep a gateway from stopping', async () => {
    await open();
    receiver.close();
    expect((await ask(library, BOOKS)).errors).toBeUndefined();
    const started = performance.now();
    await tracer.close();
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

describe('A traceparent', () => {
  it.each([
    [TRACEPARENT, 1],
    [`00-${TRACE}-${CALLER}-00`, 0],
    // Flags that nobody knows yet are not handed on.
    [`00-${TRACE}-${CALLER}-ff`, 1],
    // Later versions begin like this one.
    [`cc-${TRACE}-${CALLER}-01-what-the-future-will-be-like`, 1],
  ])('is understood: %s', (traceparent, traceFlags) => {
    expect(callerIn({ traceparent })).toMatchObject({ traceId: TRACE, spanId: CALLER, traceFlags, isRemote: true });
  });

  it.each([
    undefined,
    '',
    'nonsense',
    `ff-${TRACE}-${CALLER}-01`,
    `00-${'0'.repeat(32)}-${CALLER}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${CALLER}-01`,
    `00-${TRACE}-${CALLER}-01-more`,
    `00-${TRACE}-${CALLER}`,
    ` ${TRACEPARENT}`,
  ])('is none of that, and then no caller is known: %s', (traceparent) => {
    expect(callerIn({ traceparent })).toBeNull();
  });

  it('brings the state of its vendors, but for what is no state', () => {
    expect(callerIn({ traceparent: TRACEPARENT, tracestate: 'a=1,b=2' })?.traceState?.serialize()).toBe('a=1,b=2');
    expect(callerIn({ traceparent: TRACEPARENT, tracestate: 'no state' })?.traceState?.serialize()).toBe('');
  });
});
