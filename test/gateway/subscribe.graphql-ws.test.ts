import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';
import { connect, type Message } from '../support/web-socket.js';

let graph: SmallGraph;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true, mostBodyBytes: 10_000 });
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
});
