import { serveSubgraph } from '../kernel/graphql/subgraph.server.js';
import { PrincipalVerifier } from '../kernel/principal.token.js';
import { createLogger, createMetrics } from '../kernel/telemetry.js';
import { createUsers } from './subgraph.js';
import { usersConfiguration } from './users.configuration.js';

const { host, port, publicKeys, personalDataKey, databaseUrl } = usersConfiguration();
const logger = createLogger('users');
const users = await createUsers({ databaseUrl, verifier: new PrincipalVerifier(publicKeys), logger, personalDataKey });
await users.migrate();
await users.start();
const server = await serveSubgraph(users, { host, port, metrics: createMetrics() });
logger.info({ url: server.url }, 'listening');

async function stop(): Promise<void> {
  await server.close();
  await users.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
