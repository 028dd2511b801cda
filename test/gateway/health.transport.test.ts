import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readinessAt } from '../../gateway/health.transport.js';

describe('A subgraph that is asked over HTTP whether it is ready', () => {
  let status = 200;
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (status > 0) response.writeHead(status).end('whatever');
  });
  const ready = (path: string, signal = AbortSignal.timeout(5_000)) =>
    readinessAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)(signal);

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is asked beside its GraphQL path', async () => {
    await ready('/graphql');
    await ready('/payments/graphql?version=2');
    expect(asked).toEqual(['GET /health/ready', 'GET /payments/health/ready']);
  });

  it.each([500, 502, 503])('is not ready when it says %d', async (said) => {
    status = said;
    await expect(ready('/graphql')).rejects.toThrow(`not ready (HTTP ${said})`);
  });

  it.each([401, 403, 404, 405])(
    'is not doubted for %d: it may be a server that knows no such question',
    async (said) => {
      status = said;
      await expect(ready('/graphql')).resolves.toBeUndefined();
    },
  );

  it('is not waited for longer than whoever asks wants to', async () => {
    status = 0;
    await expect(ready('/graphql', AbortSignal.timeout(50))).rejects.toThrow();
  });
});
