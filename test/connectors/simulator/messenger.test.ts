import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { selfSigned } from '../../../connectors/simulator/certificate.js';
import { Messenger } from '../../../connectors/simulator/messenger.js';
import { DAY } from '../../../subgraphs/kernel/clock.js';

type Heard = { readonly headers: IncomingMessage['headers']; readonly body: string };

let server: Server;
let url: string;
let connections: number;
let heard: Heard[];
let answer: (response: ServerResponse, nth: number) => void;
let messenger: Messenger;
beforeEach(async () => {
  [connections, heard] = [0, []];
  answer = (response) => response.writeHead(204).end();
  server = createServer(async (request, response) => {
    heard.push({ headers: request.headers, body: await text(request) });
    answer(response, heard.length);
  });
  server.on('connection', () => {
    connections += 1;
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/heard?here`;
  messenger = new Messenger(10_000);
});
afterEach(async () => {
  messenger.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const post = (body = '{"amount":"¥1"}') => messenger.post({ url, headers: { 'x-signed': 'yes' }, body });

describe('A message', () => {
  it('arrives as it is, and is answered with a status, whatever is said beside it', async () => {
    answer = (response) => response.writeHead(503).end('x'.repeat(1_000_000));
    expect(await post()).toBe(503);
    expect(heard).toMatchObject([{ body: '{"amount":"¥1"}', headers: { 'x-signed': 'yes', 'content-length': '16' } }]);
  });

  it('goes over the connection of the one before', async () => {
    for (let nth = 0; nth < 20; nth += 1) expect(await post(String(nth))).toBe(204);
    expect(heard.map(({ body }) => Number(body))).toEqual(Array.from({ length: 20 }, (_, nth) => nth));
    expect(connections).toBe(1);
  });

  it('goes again, over a new connection, where the old one was closed just then', async () => {
    answer = (response, nth) => (nth === 2 ? response.socket?.destroy() : response.writeHead(200).end());
    expect([await post('first'), await post('second')]).toEqual([200, 200]);
    expect(heard.map(({ body }) => body)).toEqual(['first', 'second', 'second']);
    expect(connections).toBe(2);
  });

  it('does not go again where a new connection is closed: it may have been heard', async () => {
    answer = (response) => response.socket?.destroy();
    expect(await post()).toBeNull();
    expect(heard).toHaveLength(1);
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['no answer', () => undefined],
    ['half an answer', (response) => response.writeHead(200, { 'content-length': 10 }).write('half')],
  ])('is given up where there is %s in time', async (_what, late) => {
    const impatient = new Messenger(500);
    const message = { url, headers: {}, body: '{}' };
    // Over a connection that has served before, too: it is not the one that was closed just then.
    expect(await impatient.post(message)).toBe(204);
    answer = late;
    expect([await impatient.post(message), heard.length]).toEqual([null, 2]);
    expect([await impatient.post(message), heard.length]).toEqual([null, 3]);
    impatient.stop();
  });

  it('is not answered where the answer breaks off', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half');
      setImmediate(() => response.socket?.destroy());
    };
    expect(await post()).toBeNull();
  });

  it.each(['http://127.0.0.1:1/nobody', 'https://127.0.0.1:1/nobody', 'nowhere'])(
    'to %s is heard by nobody',
    async (nowhere) => {
      expect(await messenger.post({ url: nowhere, headers: {}, body: '{}' })).toBeNull();
    },
  );

  it('goes over TLS where the address says so', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const [from, until] = [new Date(Date.now() - DAY), new Date(Date.now() + DAY)];
    const cert = selfSigned({ name: 'merchant', serial: Buffer.of(1), privateKey, from, until });
    const secure = createSecureServer({ key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert });
    secure.on('request', (request, response) => response.writeHead(request.method === 'POST' ? 201 : 405).end());
    await once(secure.listen(0, '127.0.0.1'), 'listening');
    const address = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    // Nobody vouches for it.
    expect(await messenger.post({ url: address, headers: {}, body: '{}' })).toBeNull();
    globalAgent.options.rejectUnauthorized = false;
    expect(await messenger.post({ url: address, headers: {}, body: '{}' })).toBe(201);
    delete globalAgent.options.rejectUnauthorized;
    globalAgent.destroy();
    await new Promise((resolve) => secure.close(resolve));
  });

  it('is broken off by a stop, and none goes out after it', async () => {
    const arrived = Promise.withResolvers<void>();
    answer = () => arrived.resolve();
    const posted = post();
    await arrived.promise;
    messenger.stop();
    expect(await posted).toBeNull();
    expect(await post()).toBeNull();
    expect(heard).toHaveLength(1);
  });
});
