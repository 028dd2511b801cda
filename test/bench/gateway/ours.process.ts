import { createServer } from 'node:http';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { readConfiguration, variable } from '../../../subgraphs/kernel/configuration.js';
import { MemoryBus } from './memory.bus.js';
import { openGateway } from './ours.gateway.js';
import { listening, onAsk, tell } from './process.channel.js';
import { memoryInUse } from './process.memory.js';
import { Publisher } from './publisher.js';

// Our gateway, with the canned subgraphs over HTTP or in this process.

const { SUPERGRAPH, SUBGRAPH_URLS, JWT_ISSUER, JWKS } = readConfiguration({
  SUPERGRAPH: variable.text(),
  SUBGRAPH_URLS: z.string().optional(),
  JWT_ISSUER: variable.text(),
  JWKS: variable.text(),
});
const bus = new MemoryBus();
const gateway = await openGateway({
  supergraph: SUPERGRAPH,
  ...(SUBGRAPH_URLS && { urls: JSON.parse(SUBGRAPH_URLS) }),
  bus,
  issuer: JWT_ISSUER,
  jwks: JSON.parse(JWKS) as JSONWebKeySet,
});
const server = createServer((request, response) => void gateway.answer(request, response));
server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
server.keepAliveTimeout = 65_000;
const publisher = new Publisher(async (subject, payload) => {
  await bus.publish([{ id: `evt_${payload.sequence}`, subjects: [subject], payload }]);
});
onAsk({ memory: memoryInUse, publish: (order: Parameters<Publisher['publish']>[0]) => publisher.publish(order) });
tell({ url: `${await listening(server)}/graphql` });
