import { createServer } from 'node:http';
import { createRemoteJWKSet } from 'jose';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { openEventBus } from '../subgraphs/kernel/event/open-event-bus.js';
import { PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import { closesInOrder } from '../subgraphs/kernel/server.close.js';
import { createLogger, createMetrics } from '../subgraphs/kernel/telemetry.js';
import { jwtAuthenticator } from './authentication.js';
import { readGatewayConfiguration } from './configuration.js';
import { createGateway } from './gateway.js';

// The gateway as a service of its own: subgraphs over HTTP, everything else from the environment.
const logger = createLogger('gateway');
const configuration = readGatewayConfiguration();
const bus = await openEventBus(process.env, logger);
const gateway = await createGateway({
  ...configuration,
  bus,
  signer: new PrincipalSigner('gateway', configuration.signingKey),
  authenticator: jwtAuthenticator({ ...configuration, keys: createRemoteJWKSet(new URL(configuration.jwksUrl)) }),
  metrics: createMetrics(),
  logger,
});

// How long requests under way may take after the word to stop.
const GRACE_MS = 25 * SECOND;

const server = createServer((request, response) => void gateway.answer(request, response));
const closeServer = closesInOrder(server, GRACE_MS);
server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
// Longer than balancers keep an idle connection, so that we never close one under a request.
server.keepAliveTimeout = 65 * SECOND;
server.listen(configuration.port, configuration.host, () => logger.info({ address: server.address() }, 'listening'));

async function stop(): Promise<void> {
  await gateway.drain();
  await closeServer();
  await gateway.close();
  await bus.close();
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    stop().catch((thrown: unknown) => {
      logger.error({ err: thrown }, 'did not stop cleanly');
      process.exitCode = 1;
    });
  });
