import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloGateway, type GraphQLDataSourceProcessOptions, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { jwtAuthenticator } from '../../gateway/authentication.js';
import type { Identity } from '../../gateway/context.js';
import { createGateway } from '../../gateway/gateway.js';
import { readConfiguration, variable } from '../../subgraphs/kernel/configuration.js';
import { openEventBus } from '../../subgraphs/kernel/event/open-event-bus.js';
import { PRINCIPAL_HEADER, PrincipalSigner } from '../../subgraphs/kernel/principal.token.js';
import { createLogger, createMetrics } from '../../subgraphs/kernel/telemetry.js';

// A gateway over HTTP to its subgraphs, for the benchmark: ours, or Apollo's with all that it brings.

const { ENGINE, JWKS, JWT_ISSUER, INTERNAL_SIGNING_KEY, SUPERGRAPH, SUBGRAPH_URLS } = readConfiguration({
  ENGINE: variable.text(),
  JWKS: variable.text(),
  JWT_ISSUER: variable.text(),
  INTERNAL_SIGNING_KEY: variable.text(),
  SUPERGRAPH: variable.text(),
  SUBGRAPH_URLS: variable.text(),
});
const urls: Record<string, string> = JSON.parse(SUBGRAPH_URLS);
const logger = createLogger('gateway', 'warn');
const signer = new PrincipalSigner('gateway', INTERNAL_SIGNING_KEY);
const authenticator = jwtAuthenticator({
  keys: createLocalJWKSet(JSON.parse(JWKS) as JSONWebKeySet),
  issuer: JWT_ISSUER,
  audience: 'sojourn',
});
const supergraph = await readFile(SUPERGRAPH, 'utf8');

async function ours(): Promise<string> {
  const gateway = await createGateway({
    supergraph,
    urls,
    bus: await openEventBus(process.env, logger),
    signer,
    authenticator,
    logger,
    metrics: createMetrics(),
    development: false,
    admission: { rate: null, addressRate: null },
    planning: { ownThread: true },
    // The other one keeps nothing either.
    entityCacheBytes: 0,
  });
  const server = createServer((request, response) => void gateway.answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The default data source, told only what it cannot know: who asks. */
class DefaultSource extends RemoteGraphQLDataSource<Identity> {
  override async willSendRequest({ request, context }: GraphQLDataSourceProcessOptions<Identity>): Promise<void> {
    // Asked once without an identity, when the gateway loads.
    if ('principal' in context) request.http?.headers.set(PRINCIPAL_HEADER, await signer.sign(context.principal));
  }
}

async function apollos(): Promise<string> {
  const gateway = new ApolloGateway({
    supergraphSdl: supergraph,
    buildService: ({ name, url }) => new DefaultSource({ url: urls[name] ?? url ?? '' }) as never,
  });
  const server = new ApolloServer<Identity>({ gateway, introspection: false });
  const { url } = await startStandaloneServer(server, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async ({ req }) => authenticator.authenticate(req.headers.authorization),
  });
  return url.replace(/\/$/, '');
}

process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';
process.send?.({ url: await (ENGINE === 'apollo' ? apollos() : ours()) });
