import { openEventBus } from '../kernel/event/open-event-bus.js';
import { serveSubgraph } from '../kernel/graphql/subgraph.server.js';
import { PrincipalVerifier } from '../kernel/principal.token.js';
import { createLogger, createMetrics } from '../kernel/telemetry.js';
import { merchantsConfiguration } from './merchants.configuration.js';
import { connectOutside } from './outside.js';
import { createMerchants } from './subgraph.js';

const { host, port, publicKeys, databaseUrl, ...configuration } = merchantsConfiguration();
const logger = createLogger('merchants');
const bus = await openEventBus(process.env, logger);
const outside = connectOutside(configuration);
const verifier = new PrincipalVerifier(publicKeys);
const merchants = await createMerchants({ databaseUrl, verifier, logger, bus, outside });
await merchants.migrate();
await merchants.start();
const server = await serveSubgraph(merchants, { host, port, metrics: createMetrics() });
logger.info({ url: server.url }, 'listening');

async function stop(): Promise<void> {
  await server.close();
  await merchants.close();
  await outside.close();
  await bus.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
