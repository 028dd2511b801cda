import { createServer } from 'node:http';
import { z } from 'zod';
import { databaseUrl, readConfiguration, variable } from '../subgraphs/kernel/configuration.js';
import { openEventBus } from '../subgraphs/kernel/event/open-event-bus.js';
import { answerRoute, listen, send } from '../subgraphs/kernel/graphql/subgraph.server.js';
import { PrincipalVerifier } from '../subgraphs/kernel/principal.token.js';
import { createLogger } from '../subgraphs/kernel/telemetry.js';
import { merchantsConfiguration } from '../subgraphs/merchants/merchants.configuration.js';
import { connectOutside } from '../subgraphs/merchants/outside.js';
import { createMerchants } from '../subgraphs/merchants/subgraph.js';
import { createUsers } from '../subgraphs/users/subgraph.js';
import { developmentRoutes } from './development.routes.js';
import { developmentCodes } from './seed.codes.js';
import { identities } from './seed.identities.js';
import { seed } from './seed.js';
import { DevelopmentIssuer, issueAll } from './tokens.js';

// For docker-compose.yml only: seeds the services' databases, signs anybody in, and shows `/dev…`. What production has
// instead is an identity provider, and people.

const { HOST, PORT, JWT_ISSUER, SIGN_IN_KEY, PAYPAL_BASE_URL, WECHAT_PAY_BASE_URL, ...keys } = readConfiguration({
  HOST: variable.text().default('127.0.0.1'),
  PORT: variable.port(4005),
  JWT_ISSUER: variable.text(),
  SIGN_IN_KEY: variable.json(z.record(z.string(), z.unknown())),
  INTERNAL_PUBLIC_KEYS: variable.json(z.record(z.string(), z.string())),
  PERSONAL_DATA_KEY: variable.text(),
  PAYPAL_BASE_URL: variable.url(),
  WECHAT_PAY_BASE_URL: variable.url(),
});
const logger = createLogger('development');
await seedDatabases();

const issuer = await DevelopmentIssuer.create(JWT_ISSUER, SIGN_IN_KEY);
const tokens = await issueAll(issuer, identities);
const routes = developmentRoutes({
  tokens,
  codes: developmentCodes,
  keys: issuer.jwks(),
  books: async () => ({ paypal: await booksAt(PAYPAL_BASE_URL), wechatPay: await booksAt(WECHAT_PAY_BASE_URL) }),
});
const server = createServer((request, response) => {
  const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname;
  const route = routes.find((candidate) => candidate.path === path && candidate.method === request.method);
  if (!route) return void response.writeHead(path === '/health/ready' ? 200 : 404).end();
  answerRoute(route, request).then(
    (reply) => send(response, reply),
    () => response.writeHead(502).end(),
  );
});
await listen(server, PORT, HOST);
logger.info({ address: server.address() }, 'listening');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });

async function booksAt(url: string): Promise<unknown> {
  const answer = await fetch(new URL('/books', url), { signal: AbortSignal.timeout(5_000) });
  return answer.json();
}

/** By the subgraphs' own use cases, on their databases; they are never started and never asked anything. */
async function seedDatabases(): Promise<void> {
  const common = { verifier: new PrincipalVerifier(keys.INTERNAL_PUBLIC_KEYS), logger };
  const outside = connectOutside(merchantsConfiguration());
  const bus = await openEventBus(process.env, logger);
  const [users, merchants] = await Promise.all([
    createUsers({ ...common, databaseUrl: databaseUrl('users'), personalDataKey: keys.PERSONAL_DATA_KEY }),
    createMerchants({ ...common, databaseUrl: databaseUrl('merchants'), bus, outside }),
  ]);
  await Promise.all([users.migrate(), merchants.migrate()]);
  await seed(users.services, merchants.services);
  await Promise.all([users.close(), merchants.close(), outside.close()]);
  await bus.close();
}
