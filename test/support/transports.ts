import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';

export interface Answered {
  data?: unknown;
  errors?: { message: string; path?: unknown[]; extensions?: Record<string, unknown> }[];
}

type Body = Readonly<Record<string, unknown>>;

/** Sends one operation by one transport, exactly as it stands, and gives the one answer. */
export type Send = (graph: { readonly url: string }, body: Body, token?: string) => Promise<Answered>;

const MULTIPART = 'multipart/mixed;subscriptionSpec=1.0';
const EVENTS = 'text/event-stream';

async function post({ url }: { url: string }, accept: string, body: Body, token?: string): Promise<string> {
  const headers = { accept, 'content-type': 'application/json', ...(token && { authorization: token }) };
  return (await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) })).text();
}

async function get({ url }: { url: string }, accept: string, body: Body, token?: string): Promise<string> {
  const headers = { accept, 'apollo-require-preflight': 'yes', ...(token && { authorization: token }) };
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(body))
    search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return (await fetch(`${url}/graphql?${search}`, { headers })).text();
}

function eventIn(text: string): Answered {
  return JSON.parse(/^event: next\ndata: (.*)$/m.exec(text)?.[1] ?? text) as Answered;
}

function partIn(text: string): Answered {
  const [, part] = /\r\n\r\n(\{"payload".*\})\r\n/.exec(text) ?? [];
  return part ? (JSON.parse(part) as { payload: Answered }).payload : (JSON.parse(text) as Answered);
}

/** By hand: a client of the protocol's own library would not send what has no text. */
const bySocket: Send = ({ url }, body, token) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const answer = (answered: Answered) => {
      resolve(answered);
      socket.close();
    };
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: token && { authorization: token } })),
    );
    socket.on('message', (text) => {
      const message = JSON.parse(String(text)) as { type: string; payload?: unknown };
      if (message.type === 'connection_ack')
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '', ...body } }));
      if (message.type === 'next') answer(message.payload as Answered);
      if (message.type === 'error') answer({ errors: message.payload as Answered['errors'] });
    });
  });

/** Every way by which a query can come. */
export const transports: readonly (readonly [string, Send])[] = [
  ['JSON', async (...sent) => JSON.parse(await post(sent[0], 'application/json', sent[1], sent[2])) as Answered],
  ['GET', async (...sent) => JSON.parse(await get(sent[0], 'application/json', sent[1], sent[2])) as Answered],
  ['server-sent events', async (graph, ...sent) => eventIn(await post(graph, EVENTS, ...sent))],
  ['GET with server-sent events', async (graph, ...sent) => eventIn(await get(graph, EVENTS, ...sent))],
  ['multipart', async (graph, ...sent) => partIn(await post(graph, MULTIPART, ...sent))],
  ['graphql-ws', bySocket],
];

/** The codes of the errors of an answer. */
export function codesIn({ errors = [] }: Answered): unknown[] {
  return errors.map(({ extensions }) => extensions?.['code']);
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The extension by which a client names a text by its hash. */
export function byHash(hash: string): { extensions: { persistedQuery: { version: 1; sha256Hash: string } } } {
  return { extensions: { persistedQuery: { version: 1, sha256Hash: hash } } };
}
