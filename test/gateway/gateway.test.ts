import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { WebSocket } from 'ws';
import { readGatewayConfiguration } from '../../gateway/configuration.js';
import { createGateway } from '../../gateway/gateway.js';
import { ask, type SmallGraph, smallGraph } from '../support/small-graph.js';
import { overGraphqlWs, overMultipart, overSse } from '../support/subscribers.js';

let graph: SmallGraph;
afterEach(() => graph.close());

const EVENTS = 'subscription { paymentEvents(paymentId: "pay_1") { cursor sequence } }';

describe('A gateway', () => {
  it('drains: it says it is not ready, and streams end with a word and a cursor to resume after', async () => {
    graph = await smallGraph({ inProcess: true });
    const token = await graph.token('TRAVELER', 'trv_us_one');
    await graph.happen('pay_1', 1);
    const streams = [overSse, overMultipart].map((open) => open({ url: graph.url, token, query: EVENTS }));
    const socket = overGraphqlWs({ url: graph.url, token, query: EVENTS });
    for (const stream of [...streams, socket]) await stream.receive(1);
    await graph.gateway.drain();
    for (const stream of streams) {
      await stream.ended;
      expect(stream.received.at(-1)?.errors?.[0]?.extensions).toMatchObject({
        code: 'STREAM_INTERRUPTED',
        transient: true,
      });
    }
    // graphql-ws clients connect again by themselves when the socket goes away.
    await socket.ended;
    expect(await graph.gateway.ready()).toMatchObject({ ready: false, draining: true });
    // What is under way, or comes late, is still answered.
    expect((await ask(graph, '{ whoami }')).data).toEqual({ whoami: 'ANONYMOUS' });
  });

  it('opens no socket elsewhere than at /graphql, and none in another protocol', async () => {
    graph = await smallGraph({ inProcess: true });
    const refused = async (path: string, protocol: string) => {
      const socket = new WebSocket(`${graph.url.replace('http', 'ws')}${path}`, protocol);
      return new Promise((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('error', (error) => resolve(error.message));
        socket.on('close', (code) => resolve(code));
      });
    };
    expect(await refused('/elsewhere', 'graphql-transport-ws')).toBe(404);
    expect(await refused('/graphql', 'graphql-ws')).not.toBe(undefined);
  });

  it('limits the open streams of one asker', async () => {
    graph = await smallGraph({ inProcess: true, mostStreams: 1 });
    const token = await graph.token('TRAVELER', 'trv_us_one');
    await graph.happen('pay_1', 1);
    const first = overSse({ url: graph.url, token, query: EVENTS });
    await first.receive(1);
    const second = overSse({ url: graph.url, token, query: EVENTS });
    await second.ended;
    expect(second.received[0]?.errors?.[0]?.extensions?.['code']).toBe('RATE_LIMITED');
    first.leave();
  });

  it('refuses a supergraph with a security feature that nothing here enforces', async () => {
    graph = await smallGraph({ inProcess: true });
    const secured = graph.supergraph.replace(
      /^schema /,
      'schema @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY) ',
    );
    await expect(createGateway({ supergraph: secured, metrics: new Registry() } as never)).rejects.toThrow(/policy/);
  });

  it.each([
    ['{nonsense}', 'payment.{paymentId}', 'payment.{nonsense}'],
    ['guard', '{ payment(id: $paymentId) { id } }', '{ payment(id: $paymentId) { gone } }'],
  ])('refuses a supergraph whose event source cannot work: %s', async (what, right, wrong) => {
    graph = await smallGraph({ inProcess: true });
    const broken = graph.supergraph.replace(right, wrong);
    expect(broken).not.toBe(graph.supergraph);
    await expect(createGateway({ supergraph: broken, metrics: new Registry() } as never)).rejects.toThrow(
      what.replace(/[{}]/g, ''),
    );
  });
});

describe('The environment', () => {
  it('is reported with every problem at once, never with a value', async () => {
    graph = await smallGraph({ inProcess: true });
    const read = () =>
      readGatewayConfiguration({ PORT: 'many', JWKS_URL: 'no-url', INTERNAL_SIGNING_KEY: 'secret-value' });
    expect(read).toThrow(/PORT[\s\S]*JWKS_URL[\s\S]*JWT_ISSUER/);
    expect(read).not.toThrow(/secret-value/);
  });
});
