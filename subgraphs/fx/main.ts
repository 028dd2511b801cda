import { openEventBus } from '../kernel/event/open-event-bus.js';
import { serveSubgraph } from '../kernel/graphql/subgraph.server.js';
import { PrincipalVerifier } from '../kernel/principal.token.js';
import { createLogger, createMetrics } from '../kernel/telemetry.js';
import { fxConfiguration } from './fx.configuration.js';
import { createFx } from './subgraph.js';

const { host, port, publicKeys, ...configuration } = fxConfiguration();
const logger = createLogger('fx');
const bus = await openEventBus(process.env, logger);
const fx = await createFx({ ...configuration, verifier: new PrincipalVerifier(publicKeys), logger, bus });
await fx.migrate();
await fx.start();
const server = await serveSubgraph(fx, { host, port, metrics: createMetrics() });
logger.info({ url: server.url }, 'listening');

async function stop(): Promise<void> {
  await server.close();
  await fx.close();
  await bus.close();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
