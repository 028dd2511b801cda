import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { operationOf, standInForMalformed } from '../../gateway/operation.shape.js';
import { type SmallGraph, smallGraph } from '../support/small-graph.js';

const query = '{ whoami }';
const LIVE = 'subscription { rateChanged(base: "USD") { rate } }';

const malformed: [what: string, sent: unknown][] = [
  ['variables that are a text', { query, variables: '{}' }],
  ['variables that are a list', { query, variables: [] }],
  ['variables that are a number', { query, variables: 5 }],
  ['extensions that are a text', { query, extensions: 'x' }],
  ['extensions that are a list', { query, extensions: [] }],
  ['an operation name that is a number', { query, operationName: 5 }],
  ['an operation name that is an object', { query, operationName: {} }],
  ['a query that is a number', { query: 5 }],
  ['a query that is a list', { query: [query] }],
  ['a subscription whose variables are a text', { query: LIVE, variables: 'x' }],
];

interface Refusal {
  readonly errors: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

let graph: SmallGraph;
beforeAll(async () => {
  graph = await smallGraph({ inProcess: true });
});
afterAll(() => graph.close());

async function post(sent: unknown, accept: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept };
  return fetch(`${graph.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(sent) });
}

async function get(fields: string, accept: string): Promise<Response> {
  return fetch(`${graph.url}/graphql?${fields}`, { headers: { accept, 'apollo-require-preflight': 'yes' } });
}

const inEvent = (text: string) => JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? '') as Refusal;
const inPart = (text: string) =>
  (JSON.parse(/^(\{"payload".+)$/m.exec(text)?.[1] ?? '') as { payload: Refusal }).payload;

/** What a socket answers to an operation, and then to a good one. */
async function overSocket(sent: unknown): Promise<{ answer: unknown; next: unknown }> {
  const socket = new WebSocket(`${graph.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  // A message of the server; or the end, when it closes the socket instead.
  const heard = async (): Promise<unknown> => {
    const signal = new AbortController();
    const closed = once(socket, 'close', signal).then(([code]) => `closed with ${code}`);
    const told = once(socket, 'message', signal).then(([text]) => JSON.parse(String(text)) as unknown);
    return Promise.race([told, closed]).finally(() => signal.abort());
  };
  const send = (message: object) => socket.send(JSON.stringify(message));
  await once(socket, 'open');
  send({ type: 'connection_init' });
  await heard();
  send({ id: '1', type: 'subscribe', payload: sent });
  const answer = await heard();
  send({ id: '2', type: 'subscribe', payload: { query } });
  const next = await heard();
  socket.close();
  return { answer, next };
}

describe('A malformed operation', () => {
  it.each(malformed)('with %s is BAD_REQUEST in the same words over every transport', async (_what, sent) => {
    const whole = await post(sent, 'application/json');
    expect(whole.status).toBe(400);
    const refusal = (await whole.json()) as Refusal;
    expect(refusal).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST', transient: false } }],
    });
    expect(inEvent(await (await post(sent, 'text/event-stream')).text())).toEqual(refusal);
    expect(inPart(await (await post(sent, 'multipart/mixed;subscriptionSpec=1.0')).text())).toEqual(refusal);
    // One that is malformed ends nothing else on the same socket.
    expect(await overSocket(sent)).toEqual({
      answer: { id: '1', type: 'error', payload: refusal.errors },
      next: { id: '2', type: 'next', payload: { data: { whoami: 'ANONYMOUS' } } },
    });
  });

  it.each([
    ['a list', [{ query }]],
    ['nothing', null],
    ['a text', query],
    ['a number', 5],
  ])('that is %s is BAD_REQUEST over each way of HTTP', async (_what, sent) => {
    const refusal = (await (await post(sent, 'application/json')).json()) as Refusal;
    expect(refusal.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_REQUEST']);
    expect(inEvent(await (await post(sent, 'text/event-stream')).text())).toEqual(refusal);
    expect(inPart(await (await post(sent, 'multipart/mixed;subscriptionSpec=1.0')).text())).toEqual(refusal);
  });

  it.each(['variables={', 'variables=[]', 'variables="x"', 'variables=', 'extensions={', `query=${query}`])(
    'in an address that adds %s is BAD_REQUEST, as a whole and as a stream',
    async (added) => {
      const fields = `query=${encodeURIComponent(query)}&${added}`;
      const whole = await get(fields, 'application/json');
      expect(whole.status).toBe(400);
      const refusal = (await whole.json()) as Refusal;
      expect(refusal.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_REQUEST']);
      expect(inEvent(await (await get(fields, 'text/event-stream')).text())).toEqual(refusal);
    },
  );
});

describe('An operation', () => {
  it('may leave out whatever it does not need, or say null', () => {
    const nulls = { query, operationName: null, variables: null, extensions: null };
    expect(operationOf(nulls)).toEqual({ query });
    expect(operationOf({ extensions: { persistedQuery: {} } })).toEqual({ extensions: { persistedQuery: {} } });
  });

  it('is not touched on its way into graphql-ws, whatever its variables are called', () => {
    const message = {
      id: '1',
      type: 'subscribe',
      payload: { query, variables: { '': { type: 'subscribe' }, a: [1] } },
    };
    expect(JSON.parse(JSON.stringify(message), standInForMalformed)).toEqual(message);
  });
});
