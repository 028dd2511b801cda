import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GraphQLDataSourceProcessOptions, RemoteGraphQLDataSource } from '@apollo/gateway';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { jwtAuthenticator } from '../../gateway/authentication.js';
import type { GatewayContext } from '../../gateway/context.js';
import { createGateway } from '../../gateway/gateway.js';
import { readConfiguration, variable } from '../../subgraphs/kernel/configuration.js';
import { openEventBus } from '../../subgraphs/kernel/event/open-event-bus.js';
import { PRINCIPAL_HEADER, PrincipalSigner } from '../../subgraphs/kernel/principal.token.js';
import { createLogger, createMetrics } from '../../subgraphs/kernel/telemetry.js';

// A gateway over HTTP to its subgraphs, for the benchmark: with our fetch layer, or with what @apollo/gateway brings.

const { FETCH, JWKS, JWT_ISSUER, INTERNAL_SIGNING_KEY, SUPERGRAPH, SUBGRAPH_URLS } = readConfiguration({
  FETCH: variable.text(),
  JWKS: variable.text(),
  JWT_ISSUER: variable.text(),
  INTERNAL_SIGNING_KEY: variable.text(),
  SUPERGRAPH: variable.text(),
  SUBGRAPH_URLS: variable.text(),
});
const urls: Record<string, string> = JSON.parse(SUBGRAPH_URLS);
const logger = createLogger('gateway', 'warn');
const signer = new PrincipalSigner('gateway', INTERNAL_SIGNING_KEY);

/** The default data source, told only what it cannot know: who asks. */
class DefaultSource extends RemoteGraphQLDataSource<GatewayContext> {
  override async willSendRequest({ request, context }: GraphQLDataSourceProcessOptions<GatewayContext>): Promise<void> {
    // Asked once without an identity, when the gateway loads.
    const identity = 'identity' in context ? context.identity : null;
    if (identity) request.http?.headers.set(PRINCIPAL_HEADER, await signer.sign(identity.principal));
  }
}

const gateway = await createGateway({
  supergraph: await readFile(SUPERGRAPH, 'utf8'),
  urls,
  bus: await openEventBus(process.env, logger),
  signer,
  authenticator: jwtAuthenticator({
    keys: createLocalJWKSet(JSON.parse(JWKS) as JSONWebKeySet),
    issuer: JWT_ISSUER,
    audience: 'sojourn',
  }),
  logger,
  metrics: createMetrics(),
  development: false,
  admission: { rate: null },
  ...(FETCH === 'default' && {
    buildService: ({ name, url }) => new DefaultSource({ url: urls[name] ?? url ?? '' }) as never,
  }),
});
const server = createServer((request, response) => void gateway.answer(request, response));
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
);
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
