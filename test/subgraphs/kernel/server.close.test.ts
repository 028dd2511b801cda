import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { closesInOrder } from '../../../subgraphs/kernel/server.close.js';

async function serving(answer: (response: ServerResponse) => void, graceMs = 10_000) {
  const server = createServer((_, response) => answer(response));
  const close = closesInOrder(server, graceMs);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { close, port, url: `http://127.0.0.1:${port}` };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work;
  expect(performance.now() - started).toBeLessThan(ms);
}

describe('A server that closes in order', () => {
  it('does not wait for a connection that a client opened in advance', async () => {
    const { close, port } = await serving((response) => response.end());
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await within(2_000, Promise.all([close(), once(socket, 'close')]));
  });

  it('does not wait for a connection that is kept for the next request', async () => {
    const { close, url } = await serving((response) => response.end('ok'));
    const agent = new Agent({ keepAliveTimeout: 60_000 });
    await (await request(url, { dispatcher: agent })).body.text();
    await within(2_000, close());
    await agent.close();
  });

  it('lets an answer under way end, and its connection with it', async () => {
    const { close, url } = await serving((response) => setTimeout(() => response.end('at last'), 300));
    const agent = new Agent({ keepAliveTimeout: 60_000 });
    const answer = request(url, { dispatcher: agent }).then(({ body }) => body.text());
    await new Promise((resolve) => setTimeout(resolve, 100));
    await within(2_000, close());
    expect(await answer).toBe('at last');
    await agent.close();
  });

  it('cuts off what does not end in time', async () => {
    const { close, url } = await serving(() => undefined, 200);
    const agent = new Agent();
    const answer = request(url, { dispatcher: agent });
    answer.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await within(2_000, close());
    await expect(answer).rejects.toThrow();
    await agent.destroy();
  });
});
