import { openEventBus } from '../kernel/event/open-event-bus.js';
import { overHttp } from '../kernel/graphql/subgraph.client.js';
import { serveSubgraph } from '../kernel/graphql/subgraph.server.js';
import { PrincipalSigner, PrincipalVerifier } from '../kernel/principal.token.js';
import { createLogger, createMetrics } from '../kernel/telemetry.js';
import { connectOutside } from './outside.js';
import { paymentsConfiguration } from './payments.configuration.js';
import { createPayments } from './subgraph.js';

const configuration = paymentsConfiguration();
const logger = createLogger('payments');
const metrics = createMetrics();
const bus = await openEventBus(process.env, logger);
const others = {
  users: overHttp(configuration.SUBGRAPH_URL_USERS),
  merchants: overHttp(configuration.SUBGRAPH_URL_MERCHANTS),
  fx: overHttp(configuration.SUBGRAPH_URL_FX),
};
const subgraph = await createPayments({
  databaseUrl: configuration.databaseUrl,
  verifier: new PrincipalVerifier(configuration.INTERNAL_PUBLIC_KEYS),
  signer: new PrincipalSigner('payments', configuration.INTERNAL_SIGNING_KEY),
  others,
  outside: connectOutside(process.env),
  bus,
  logger,
  metrics,
});
await subgraph.migrate();
await subgraph.start();
const server = await serveSubgraph(subgraph, {
  host: configuration.HOST,
  port: configuration.PORT,
  metrics,
});
logger.info({ url: server.url }, 'listening');

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await server.close();
  await subgraph.close();
  await Promise.all(Object.values(others).map((other) => other.close()));
  await bus.close();
}
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
