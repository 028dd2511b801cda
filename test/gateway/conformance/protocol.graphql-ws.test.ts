import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../../support/small-graph.js';
import { connect, type Message, type RawSocket } from '../../support/web-socket.js';

// By PROTOCOL.md of graphql-ws, beside what subscribe.graphql-ws.test.ts has: 4400, 4401, 4409, 4429, ping.

let graph: SmallGraph;
let token: string;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
  token = await graph.token('TRAVELER', 'trv_us_one');
  await graph.happen('pay_1', 1);
});
afterAll(() => graph.close());

const LIVE = 'subscription { rateChanged(base: "EUR") { rate } }';
const subscribe = (id: string, query: string, rest: object = {}): Message => ({
  id,
  type: 'subscribe',
  payload: { query, ...rest },
});

async function acknowledged(payload?: object): Promise<RawSocket> {
  const client = await connect(graph);
  client.send({ type: 'connection_init', ...(payload && { payload }) });
  expect(await client.receive()).toEqual({ type: 'connection_ack' });
  return client;
}

let rates = 0;
async function publishRate(): Promise<string> {
  rates += 1;
  const rate = `7.${rates}`;
  const payload = { base: 'EUR', quote: 'CNY', rate };
  await graph.bus.publish([{ id: `rate ${rates}`, subjects: ['rate.EUR.CNY'], payload }]);
  return rate;
}

async function openStreams(): Promise<number> {
  const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
  return (gauge?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

async function untilOpen(count: number): Promise<void> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; ) {
    if ((await openStreams()) === count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not ${count} streams but ${await openStreams()}`);
}

describe('The connection', () => {
  it('is closed with 4408 when it is not initialised in time', async () => {
    const client = await connect(graph);
    expect(await client.closed).toBe(4408);
  });

  it('is refused to a client that speaks another protocol', async () => {
    // The older protocol's name, which subscriptions-transport-ws used.
    const other = connect(graph, { protocol: 'graphql-ws' }).then(({ closed }) => closed);
    // The server either chooses none, which the client refuses, or says so itself.
    await expect(other).rejects.toThrow(/subprotocol/i);
  });

  it.each<[string, Message | string]>([
    ['no type', '{}'],
    ['an unknown type', { type: 'start', id: '1' }],
    ['no id', '{"type":"subscribe","payload":{"query":"{ whoami }"}}'],
    ['an empty id', subscribe('', '{ whoami }')],
    ['an id that is no text', '{"type":"subscribe","id":1,"payload":{"query":"{ whoami }"}}'],
    ['no payload', '{"type":"subscribe","id":"1"}'],
    ['a list', '[]'],
    ['a payload of init that is no object', '{"type":"connection_init","payload":"token"}'],
    ['a payload of ping that is no object', '{"type":"ping","payload":1}'],
  ])('is closed with 4400 on a message with %s', async (_what, message) => {
    const client = await acknowledged();
    client.send(message);
    expect(await client.closed).toBe(4400);
  });

  it.each<Message>([
    { type: 'connection_ack' },
    { type: 'next', id: '1', payload: {} },
    { type: 'error', id: '1', payload: [] },
  ])("is closed with 4400 on a message that only a server sends, as the client's mistake: %j", async (message) => {
    const client = await acknowledged();
    client.send(message);
    expect(await client.closed).toBe(4400);
  });

  it('answers a ping before it is initialised, and lets pongs pass at any time', async () => {
    const client = await connect(graph);
    client.send({ type: 'ping' });
    expect(await client.receive()).toEqual({ type: 'pong' });
    client.send({ type: 'pong', payload: { heart: 'beat' } });
    client.send({ type: 'connection_init' });
    client.send({ type: 'pong' });
    expect(await client.receive()).toEqual({ type: 'connection_ack' });
    client.close();
  });

  it('takes null where something may be left out', async () => {
    const client = await connect(graph);
    client.send('{"type":"connection_init","payload":null}');
    expect(await client.receive()).toEqual({ type: 'connection_ack' });
    client.send(subscribe('1', 'query A { whoami }', { operationName: null, variables: null, extensions: null }));
    expect(await client.receive()).toMatchObject({ type: 'next', payload: { data: { whoami: 'ANONYMOUS' } } });
    client.close();
  });
});

describe('An operation with one result', () => {
  it('is a query: next, then complete, and nothing more', async () => {
    const client = await acknowledged({ authorization: token });
    client.send(
      subscribe('q', 'query ($id: ID!) { payment(id: $id) { merchant { name } } }', { variables: { id: 'pay_1' } }),
    );
    expect(await client.receive()).toEqual({
      id: 'q',
      type: 'next',
      payload: { data: { payment: { merchant: { name: 'Shop 1' } } } },
    });
    expect(await client.receive()).toEqual({ id: 'q', type: 'complete' });
    expect(await client.during(100)).toEqual([]);
    client.close();
  });

  it('is a mutation, which runs once', async () => {
    const client = await acknowledged();
    const before = graph.notes;
    client.send(subscribe('m', 'mutation { note(text: "x") }'));
    expect(await client.receive()).toEqual({ id: 'm', type: 'next', payload: { data: { note: before + 1 } } });
    expect(await client.receive()).toEqual({ id: 'm', type: 'complete' });
    expect(graph.notes).toBe(before + 1);
    client.close();
  });

  it('is the one that is named, of several', async () => {
    const client = await acknowledged();
    const query = 'query A { a: whoami } query B { b: whoami }';
    client.send(subscribe('1', query, { operationName: 'B' }));
    expect(await client.receive()).toMatchObject({ payload: { data: { b: 'ANONYMOUS' } } });
    client.close();
  });

  it('has errors of its execution in next, beside its data: they do not end it otherwise', async () => {
    const client = await acknowledged({ authorization: token });
    client.send(subscribe('1', '{ payment(id: "pay_9") { id } whoami }'));
    const [next, complete] = [await client.receive(), await client.receive()];
    expect(next).toMatchObject({
      id: '1',
      type: 'next',
      payload: {
        data: { payment: null, whoami: 'TRAVELER trv_us_one' },
        errors: [{ path: ['payment'], extensions: { code: 'NOT_FOUND' } }],
      },
    });
    expect(complete).toEqual({ id: '1', type: 'complete' });
    client.close();
  });
});

describe('An operation that cannot begin', () => {
  it.each([
    ['is no GraphQL', '{ whoami', {}, 'GRAPHQL_PARSE_FAILED'],
    ['names no operation', 'query A { whoami }', { operationName: 'B' }, 'OPERATION_RESOLUTION_FAILURE'],
  ])('because it %s ends with error, and no complete follows', async (_what, query, rest, code) => {
    const client = await acknowledged();
    client.send(subscribe('1', query, rest));
    expect(await client.receive()).toMatchObject({ id: '1', type: 'error', payload: [{ extensions: { code } }] });
    expect(await client.during(100)).toEqual([]);
    // Its id is free again, and the connection lives.
    client.send(subscribe('1', '{ whoami }'));
    expect(await client.receive()).toMatchObject({ id: '1', type: 'next' });
    client.close();
  });

  it('is told the reason with its code, whatever it fails by: a wrong field, a wrong variable', async () => {
    const client = await acknowledged();
    const attempts = [
      ['{ nonsense }', {}, 'GRAPHQL_VALIDATION_FAILED'],
      ['query ($id: ID!) { payment(id: $id) { id } }', {}, 'BAD_USER_INPUT'],
      ['subscription { rateChanged(base: 1) { rate } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ] as const;
    for (const [index, [query, rest, code]] of attempts.entries()) {
      client.send(subscribe(String(index), query, rest));
      const message = await client.receive();
      const payload = message?.payload as { errors?: unknown[] } | unknown[];
      const errors = Array.isArray(payload) ? payload : payload.errors;
      expect(errors).toMatchObject([{ extensions: { code } }]);
      if (message?.type === 'next') expect(await client.receive()).toEqual({ id: String(index), type: 'complete' });
    }
    client.close();
  });
});

describe('A stream', () => {
  it('ends when its client completes it: the bus is let go, and nothing more of it comes', async () => {
    const client = await acknowledged();
    client.send(subscribe('s', LIVE));
    await untilOpen(1);
    const rate = await publishRate();
    // LATEST: an event of an earlier test may come first.
    let first = await client.receive();
    while (JSON.stringify(first).includes(rate) === false) first = await client.receive();
    client.send({ id: 's', type: 'complete' });
    await untilOpen(0);
    await publishRate();
    expect(await client.during(200)).toEqual([]);
    client.close();
  });

  it('may have the id of one that is over', async () => {
    const client = await acknowledged();
    for (let round = 0; round < 3; round += 1) {
      client.send(subscribe('again', LIVE));
      await untilOpen(1);
      client.send({ id: 'again', type: 'complete' });
      await untilOpen(0);
    }
    client.send(subscribe('again', '{ whoami }'));
    let last = await client.receive();
    // The newest rate may have come while the streams were open.
    while (JSON.stringify(last).includes('rateChanged')) last = await client.receive();
    expect(last).toMatchObject({ id: 'again', type: 'next', payload: { data: { whoami: 'ANONYMOUS' } } });
    expect(await client.receive()).toEqual({ id: 'again', type: 'complete' });
    client.close();
  });

  it('is not disturbed by a complete for an id that nobody has', async () => {
    const client = await acknowledged();
    client.send({ id: 'nobody', type: 'complete' });
    client.send(subscribe('1', '{ whoami }'));
    expect(await client.receive()).toMatchObject({ id: '1', type: 'next' });
    expect(await client.receive()).toEqual({ id: '1', type: 'complete' });
    client.send({ id: '1', type: 'complete' });
    client.send({ type: 'ping' });
    expect(await client.receive()).toEqual({ type: 'pong' });
    client.close();
  });

  it('stands beside others and beside queries on one socket, each with its own id', async () => {
    const client = await acknowledged({ authorization: token });
    const events = 'subscription { paymentEvents(paymentId: "pay_1") { sequence } }';
    client.send(subscribe('a', events));
    client.send(subscribe('b', events));
    client.send(subscribe('c', '{ whoami }'));
    const messages: Message[] = [];
    while (messages.length < 4) messages.push((await client.receive()) ?? { type: 'none' });
    expect(
      messages
        .filter(({ type }) => type === 'next')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['a', 'b', 'c']);
    expect(messages.filter(({ type }) => type === 'complete').map(({ id }) => id)).toEqual(['c']);
    client.close();
    await untilOpen(0);
  });

  it('of a client that vanishes is let go too', async () => {
    const client = await acknowledged();
    client.send(subscribe('1', LIVE));
    client.send(subscribe('2', LIVE));
    await untilOpen(2);
    client.close();
    await untilOpen(0);
  });

  it('is completed by the server when it is over, with its reason before', async () => {
    const brief = await graph.token('TRAVELER', 'trv_us_one', 2);
    const client = await acknowledged({ authorization: brief });
    client.send(subscribe('1', 'subscription { paymentEvents(paymentId: "pay_1") { sequence } }'));
    expect(await client.receive()).toMatchObject({
      type: 'next',
      payload: { data: { paymentEvents: { sequence: 1 } } },
    });
    expect(await client.receive()).toMatchObject({
      id: '1',
      type: 'next',
      payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    });
    expect(await client.receive()).toEqual({ id: '1', type: 'complete' });
    client.close();
  });
});
