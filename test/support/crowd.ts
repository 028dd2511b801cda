import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import type { Delivered } from './subscribers.js';

// Clients by the hundred, without a library's weight, that can stop reading.

/** One subscription among many. */
export interface CrowdMember {
  readonly received: Delivered[];
  /** How its stream or socket ended: by an end of the protocol, or a close code. */
  ending: 'complete' | number | null;
}

export interface Crowd {
  readonly members: readonly CrowdMember[];
  /** The clients stop taking bytes from their sockets. */
  pause(): void;
  resume(): void;
  leave(): void;
}

export interface CrowdRequest {
  readonly url: string;
  readonly token?: string;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

function newMember(): CrowdMember {
  return { received: [], ending: null };
}

function end(member: CrowdMember, ending: 'complete' | number): void {
  member.ending ??= ending;
}

/** Subscriptions over SSE, each with its own connection. Resolves when all have been begun. */
export async function crowdOverSse(count: number, asked: CrowdRequest): Promise<Crowd> {
  const opened = await Promise.all(Array.from({ length: count }, () => openSse(asked)));
  return {
    members: opened.map(({ member }) => member),
    pause: () => opened.forEach(({ response }) => void response.pause()),
    resume: () => opened.forEach(({ response }) => void response.resume()),
    leave: () => opened.forEach(({ response }) => void response.destroy()),
  };
}

async function openSse({ url, token, query, variables }: CrowdRequest) {
  const member = newMember();
  const headers = {
    accept: 'text/event-stream',
    'content-type': 'application/json',
    ...(token && { authorization: token }),
  };
  const outgoing = request(`${url}/graphql`, { method: 'POST', headers, agent: false });
  outgoing.end(JSON.stringify({ query, variables }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  let text = '';
  response.setEncoding('utf8');
  response.on('error', () => undefined);
  response.on('data', (chunk: string) => {
    const frames = (text + chunk).split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, data] = /^event: next\ndata: (.*)$/s.exec(frame) ?? [];
      if (data !== undefined) member.received.push(JSON.parse(data) as Delivered);
      else if (frame.startsWith('event: complete')) end(member, 'complete');
    }
  });
  return { member, response };
}

/** Subscriptions over graphql-transport-ws, so many on each socket. Resolves when all sockets are acknowledged. */
export async function crowdOverWs(sockets: number, perSocket: number, asked: CrowdRequest): Promise<Crowd> {
  const opened = await Promise.all(Array.from({ length: sockets }, () => openSocket(perSocket, asked)));
  return {
    members: opened.flatMap(({ members }) => members),
    pause: () => opened.forEach(({ socket }) => void socket.pause()),
    resume: () => opened.forEach(({ socket }) => void socket.resume()),
    leave: () => opened.forEach(({ socket }) => void socket.terminate()),
  };
}

async function openSocket(count: number, { url, token, query, variables }: CrowdRequest) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const members = Array.from({ length: count }, newMember);
  socket.on('error', () => undefined);
  socket.on('close', (code) => {
    for (const member of members) end(member, code);
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise<void>((resolve) => {
    socket.on('message', (text) => {
      const message = JSON.parse(String(text)) as { type: string; id?: string; payload?: Delivered };
      const member = members[Number(message.id)];
      if (message.type === 'connection_ack') resolve();
      else if (message.type === 'next') member?.received.push(message.payload ?? {});
      else if (message.type === 'complete' && member) end(member, 'complete');
    });
  });
  socket.send(JSON.stringify({ type: 'connection_init', payload: token ? { authorization: token } : {} }));
  await acknowledged;
  members.forEach((_member, id) => {
    socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query, variables } }));
  });
  return { socket, members };
}

/** Waits until something holds. @throws Error when it does not in time */
export async function eventuallyHolds(holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  // Made here, so that it says who waited.
  const late = new Error('it did not come to hold');
  for (const deadline = Date.now() + ms; !(await holds()); ) {
    if (Date.now() > deadline) throw late;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
