import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { crowdOverWs, eventuallyHolds } from '../support/crowd.js';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';
import { connect, type Message } from '../support/web-socket.js';

let graph: SmallGraph;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true, mostBodyBytes: 10_000, mostStreams: 10_000 });
});
afterAll(() => graph.close());

const subscribe = (id: string, query: string): Message => ({ id, type: 'subscribe', payload: { query } });

describe('graphql-transport-ws', () => {
  it.each<[number, string, (Message | string)[]]>([
    [4400, 'a message that is none', ['nonsense']],
    [4401, 'an operation before the connection is acknowledged', [subscribe('1', '{ whoami }')]],
    [4429, 'a second initialisation', [{ type: 'connection_init' }, { type: 'connection_init' }]],
    [
      1009,
      'a message that is too large',
      [{ type: 'connection_init' }, subscribe('1', `{ whoami } #${'x'.repeat(11_000)}`)],
    ],
  ])('closes with %d on %s', async (code, _what, messages) => {
    const client = await connect(graph);
    for (const message of messages) client.send(message);
    expect(await client.closed).toBe(code);
  });

  it('closes with 4409 when an id is used twice at once', async () => {
    const client = await connect(graph);
    client.send({ type: 'connection_init' });
    await client.receive();
    const live = 'subscription { rateChanged(base: "ZZZ") { rate } }';
    for (const query of [live, live]) client.send(subscribe('same', query));
    expect(await client.closed).toBe(4409);
  });

  it('answers pings, takes the token from the upgrade too, and completes what is complete', async () => {
    const client = await connect(graph, { headers: { authorization: await graph.token('TRAVELER', 'trv_us_one') } });
    client.send({ type: 'connection_init' });
    expect(await client.receive()).toEqual({ type: 'connection_ack' });
    client.send({ type: 'ping', payload: { n: 1 } });
    expect(await client.receive()).toEqual({ type: 'pong', payload: { n: 1 } });
    client.send(subscribe('1', '{ whoami }'));
    const payload = { data: { whoami: 'TRAVELER trv_us_one' } };
    expect(await client.receive()).toEqual({ id: '1', type: 'next', payload });
    expect(await client.receive()).toEqual({ id: '1', type: 'complete' });
    client.close();
  });

  it('refuses an operation with an error message that ends it, and keeps the connection', async () => {
    const client = await connect(graph);
    client.send({ type: 'connection_init', payload: { Authorization: 'Bearer x.y.z' } });
    await client.receive();
    client.send(subscribe('1', '{ whoami }'));
    expect(await client.receive()).toMatchObject({
      id: '1',
      type: 'error',
      payload: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    client.send(subscribe('2', '{ whoami'));
    expect(await client.receive()).toMatchObject({ id: '2', type: 'error' });
    client.close();
  });

  it('sends nothing more of an operation that its client has completed, and takes its id again', async () => {
    const client = await connect(graph);
    client.send({ type: 'connection_init' });
    await client.receive();
    const query = 'subscription { rateChanged(base: "GBP") { rate } }';
    const publish = (rate: string) =>
      graph.bus.publish([{ id: rate, subjects: ['rate.GBP.CNY'], payload: { base: 'GBP', quote: 'CNY', rate } }]);
    const next = (rate: string) => ({ id: 'a "name"', type: 'next', payload: { data: { rateChanged: { rate } } } });
    await publish('1');
    client.send(subscribe('a "name"', query));
    expect(await client.receive()).toEqual(next('1'));
    client.send({ id: 'a "name"', type: 'complete' });
    // Of an id that is not there, or not any more, nothing is said.
    client.send({ id: 'a "name"', type: 'complete' });
    client.send({ type: 'ping' });
    expect(await client.receive()).toEqual({ type: 'pong' });
    await publish('2');
    client.send(subscribe('a "name"', query));
    expect(await client.receive()).toEqual(next('2'));
    // Completed while it was only beginning.
    client.send(subscribe('hasty', query));
    client.send({ id: 'hasty', type: 'complete' });
    await publish('3');
    expect(await client.receive()).toEqual(next('3'));
    client.close();
  });

  it('brings 2,000 subscriptions on 20 sockets the same events in the same order', async () => {
    const crowd = await crowdOverWs(20, 100, {
      url: graph.url,
      query: 'subscription { rateChanged(base: "JPY") { rate } }',
    });
    const open = async () => {
      const gauge = await graph.registry.getSingleMetric('gateway_open_streams')?.get();
      return gauge?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
    };
    await eventuallyHolds(async () => (await open()) >= 2_000);
    const rates = Array.from({ length: 10 }, (_, index) => `${index}.5`);
    for (const rate of rates)
      await graph.bus.publish([
        { id: `jpy ${rate}`, subjects: ['rate.JPY.CNY'], payload: { base: 'JPY', quote: 'CNY', rate } },
      ]);
    const expected = rates.map((rate) => ({ data: { rateChanged: { rate } } }));
    await eventuallyHolds(() => crowd.members.every(({ received }) => received.length >= rates.length));
    for (const { received } of crowd.members) expect(received).toEqual(expected);
    crowd.leave();
    await eventuallyHolds(async () => (await open()) === 0);
  });
});
