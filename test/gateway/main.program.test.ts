import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { busDatabase } from '../support/database.migrated.js';
import { PROGRAM_FLAGS } from '../support/processes.js';
import { ask, ISSUER, type SmallGraph, smallGraph } from '../support/small-graph.js';
import { root } from '../support/sources.js';
import { overGraphqlWs } from '../support/subscribers.js';

let graph: SmallGraph;
let folder: string;
let service: ChildProcess;
let url: string;
let log = '';
const keys = createServer((_request, response) => response.end(JSON.stringify(graph.jwks)));

beforeAll(async () => {
  graph = await smallGraph();
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'sojourn-gateway-'));
  const supergraph = join(folder, 'supergraph.graphql');
  writeFileSync(supergraph, graph.supergraph);
  service = spawn(process.execPath, [...PROGRAM_FLAGS, join(root, 'dist', 'gateway', 'main.js')], {
    env: {
      PORT: '0',
      SUPERGRAPH: supergraph,
      SUBGRAPH_URL_PAYMENTS: graph.subgraphUrls['payments'],
      SUBGRAPH_URL_MERCHANTS: graph.subgraphUrls['merchants'],
      JWKS_URL: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/jwks`,
      JWT_ISSUER: ISSUER,
      INTERNAL_SIGNING_KEY: graph.signingKey,
      DATABASE_URL_BUS: await busDatabase(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  service.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  url = await new Promise((resolve, reject) => {
    service.once('exit', (code) => reject(new Error(`it stopped with ${code}: ${log}`)));
    service.stdout?.on('data', () => {
      const port = /"port":(\d+)/.exec(log)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
  });
});
afterAll(async () => {
  service.kill('SIGKILL');
  await Promise.all([graph.close(), new Promise((resolve) => keys.close(resolve)), rm(folder, { recursive: true })]);
});

it('runs as a service of its own, and stops cleanly with its streams told', async () => {
  const token = await graph.token('TRAVELER', 'trv_us_one');
  expect((await ask({ url }, '{ payments(first: 1) { merchant { name } } }', { token })).data).toEqual({
    payments: [{ merchant: { name: 'Shop 1' } }],
  });
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  // Nobody said that this is development.
  expect((await ask({ url }, '{ __schema { types { name } } }')).errors).toHaveLength(1);
  const stream = overGraphqlWs({ url, token, query: 'subscription { paymentEvents(paymentId: "pay_1") { id } }' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopped = new Promise((resolve) => service.once('exit', resolve));
  service.kill('SIGTERM');
  await stream.ended;
  expect(await stopped).toBe(0);
  expect(log).not.toContain(token.slice('Bearer '.length));
});
