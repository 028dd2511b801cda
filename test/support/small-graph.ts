import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'graphql';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Registry } from 'prom-client';
import { jwtAuthenticator } from '../../gateway/authentication.js';
import { createGateway, type Gateway, type GatewayOptions } from '../../gateway/gateway.js';
import { composeSupergraph } from '../../schema/compose.js';
import type { SubgraphName } from '../../subgraphs/kernel/configuration.js';
import { PostgresEventBus } from '../../subgraphs/kernel/event/event-bus.postgres.js';
import { inProcess, type Subgraph } from '../../subgraphs/kernel/graphql/subgraph.js';
import type { SubgraphSchema } from '../../subgraphs/kernel/graphql/subgraph.schema.js';
import { type RunningServer, serveSubgraph } from '../../subgraphs/kernel/graphql/subgraph.server.js';
import {
  newSigningKey,
  PRINCIPAL_HEADER,
  PrincipalSigner,
  PrincipalVerifier,
} from '../../subgraphs/kernel/principal.token.js';
import { createLogger } from '../../subgraphs/kernel/telemetry.js';
import { busDatabase } from './database.migrated.js';
import { EVENTS, merchantsSchema, paymentsSchema, type SmallWorld } from './small-graph.schema.js';

export const ISSUER = 'https://sign-in.example';
const logger = createLogger('small-graph', 'silent');

/** What stands before a subgraph and may misbehave. */
export type Fault = 'none' | 'refuse' | 'hang' | 'html' | 'not-graphql' | 'cut' | 'wrong-entities';

export interface SmallGraph extends SmallWorld {
  readonly gateway: Gateway;
  readonly url: string;
  readonly bus: PostgresEventBus;
  readonly registry: Registry;
  readonly supergraph: string;
  readonly signingKey: string;
  readonly jwks: { keys: object[] };
  /** How the merchants subgraph behaves; only when it is reached over HTTP. */
  fault: Fault;
  /** Requests that reached the merchants subgraph's door. */
  knocks: number;
  /** Subgraphs that answer, but say that they miss something that they depend on. */
  readonly unready: Set<SubgraphName>;
  readonly subgraphUrls: Readonly<Record<string, string>>;
  token(kind: string, subject: string, lifetimeSeconds?: number, scope?: string): Promise<string>;
  /** Publishes the next event of a payment. */
  happen(paymentId: string, sequence: number, status?: string): Promise<void>;
  close(): Promise<void>;
}

export interface SmallGraphOptions extends Partial<GatewayOptions> {
  readonly inProcess?: boolean;
}

/** Two subgraphs, a virtual one, a real event bus and a gateway before them, on ports of their own. */
export async function smallGraph(options: SmallGraphOptions = {}): Promise<SmallGraph> {
  const world = {
    statuses: new Map([
      ['pay_1', 'PROCESSING'],
      ['pay_2', 'PAID'],
      ['pay_3', 'PAID'],
    ]),
    notes: 0,
    seen: [],
    fault: 'none' as Fault,
    knocks: 0,
    unready: new Set<SubgraphName>(),
  };
  const keys = newSigningKey();
  const verifier = new PrincipalVerifier({ gateway: keys.publicKey });
  const payments = subgraphOf('payments', paymentsSchema(world), verifier, world);
  const merchants = subgraphOf('merchants', merchantsSchema(world), verifier, world);
  const bus = await PostgresEventBus.open(await busDatabase(), logger);

  const closing: (() => Promise<unknown>)[] = [() => bus.close()];
  const subgraphUrls: Record<string, string> = {};
  if (!options.inProcess) {
    const running = [await serve(payments), await serve(merchants)] as const;
    const door = await openDoor(world, `${running[1].url}/graphql`);
    subgraphUrls['payments'] = `${running[0].url}/graphql`;
    subgraphUrls['merchants'] = `${door.url}/graphql`;
    closing.unshift(() => Promise.all([running[0].close(), running[1].close(), door.close()]));
  }
  const supergraph = composeSupergraph([
    { name: 'payments', url: 'http://payments.invalid/graphql', typeDefs: payments.typeDefs },
    { name: 'merchants', url: 'http://merchants.invalid/graphql', typeDefs: merchants.typeDefs },
    { name: 'events', url: 'http://events.invalid', typeDefs: parse(EVENTS) },
  ]);
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }] };
  const registry = new Registry();
  const gateway = await createGateway({
    supergraph,
    bus,
    logger,
    metrics: registry,
    signer: new PrincipalSigner('gateway', keys.privateKey),
    authenticator: jwtAuthenticator({ keys: createLocalJWKSet(jwks), issuer: ISSUER, audience: 'sojourn' }),
    development: true,
    urls: subgraphUrls,
    ...(options.inProcess && { subgraphs: { payments: inProcess(payments), merchants: inProcess(merchants) } }),
    ...options,
  });
  const server = createServer((request, response) => void gateway.answer(request, response));
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  const url = await listening(server);
  closing.unshift(async () => {
    await gateway.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return Object.assign(world, {
    gateway,
    url,
    bus,
    registry,
    supergraph,
    signingKey: keys.privateKey,
    jwks,
    subgraphUrls,
    token: (kind: string, subject: string, lifetimeSeconds = 600, scope = 'read') =>
      new SignJWT({ kind, scope, merchants: [] })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(ISSUER)
        .setAudience('sojourn')
        .setSubject(subject)
        .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeSeconds)
        .sign(privateKey)
        .then((token) => `Bearer ${token}`),
    happen: async (paymentId: string, sequence: number, status?: string) => {
      if (status) world.statuses.set(paymentId, status);
      const id = `evt_${paymentId}_${sequence}`;
      await bus.publish([{ id, subjects: [`payment.${paymentId}`, 'partner.ptr_us_one'], payload: { id } }]);
    },
    close: async () => {
      for (const close of closing) await close();
    },
  });
}

export function subgraphOf(
  name: SubgraphName,
  schema: SubgraphSchema,
  verifier: PrincipalVerifier,
  { unready }: Pick<SmallGraph, 'unready'>,
): Subgraph {
  return {
    ...schema,
    name,
    logger,
    routes: [],
    contextFor: async (headers) => ({ principal: await verifier.verify(headers[PRINCIPAL_HEADER]), headers }),
    migrate: async () => undefined,
    start: async () => undefined,
    ready: async () => {
      if (unready.has(name)) throw new Error('its database does not answer');
    },
    close: async () => undefined,
  };
}

function serve(subgraph: Subgraph): Promise<RunningServer> {
  return serveSubgraph(subgraph, { host: '127.0.0.1', port: 0, metrics: new Registry() });
}

/** A server before the merchants subgraph that hands requests on, or plays a fault. */
async function openDoor(state: { fault: Fault; knocks: number }, target: string) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    state.knocks += 1;
    if (state.fault !== 'none') return misbehave(state.fault, response);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => /^(x-|content-type|accept)/.test(name)),
    ) as Record<string, string>;
    const { method = 'POST', url: path = '/' } = request;
    const body = method === 'POST' ? { body: Buffer.concat(chunks) } : {};
    const answer = await fetch(new URL(path, target), { method, headers, ...body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  // As our own servers do: a mutation that meets a closing connection is not sent again.
  server.keepAliveTimeout = 65_000;
  const url = await listening(server);
  return {
    url,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function misbehave(fault: Fault, response: ServerResponse): void {
  switch (fault) {
    case 'refuse':
      response.destroy();
      return;
    case 'html':
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway at inner-host</h1>');
      return;
    case 'not-graphql':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"hello": "inner-host"}');
      return;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"data": {"_ent', () => response.destroy());
      return;
    case 'wrong-entities':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"data": {"_entities": []}}');
      return;
    // `hang`: never answers.
  }
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
}

/** Sends one operation as plain JSON. */
export async function ask(
  graph: { url: string },
  query: string,
  options: { token?: string; variables?: object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(`${graph.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.token && { authorization: options.token }),
      ...options.headers,
    },
    body: JSON.stringify({ query, variables: options.variables }),
  });
  const body = (await answer.json()) as Pick<Answer, 'data' | 'errors'>;
  return { status: answer.status, headers: answer.headers, ...body };
}
