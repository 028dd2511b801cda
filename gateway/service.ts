import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet } from 'jose';
import type { Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { ConfigurationError, type Environment } from '../subgraphs/kernel/configuration.js';
import { messageOf } from '../subgraphs/kernel/error.js';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import { namesEventBus, openEventBus } from '../subgraphs/kernel/event/open-event-bus.js';
import { PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import { closesInOrder } from '../subgraphs/kernel/server.close.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { type Authenticator, everyoneIsAStranger, jwtAuthenticator } from './authentication.js';
import type { GatewayConfiguration } from './configuration.js';
import { createGateway } from './gateway.js';
import type { Scrape } from './http.js';
import type { Tracer } from './trace.js';

export interface ServiceOptions {
  readonly configuration: GatewayConfiguration;
  /** Where the event bus is. */
  readonly environment: Environment;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Where not only this process's figures are asked for. */
  readonly scrape?: Scrape;
}

/** A gateway that listens. */
export interface Service {
  readonly address: AddressInfo;
  /** Takes nothing new, lets what is under way finish, and lets go of everything. */
  stop(): Promise<void>;
}

// How long requests under way may take after the word to stop.
const GRACE_MS = 25 * SECOND;

/**
 * The gateway as a service of its own: subgraphs over HTTP, and whatever else there is: sign-in, events, a key to vouch
 * with.
 * @throws ConfigurationError when the supergraph cannot be had or used, or its address is taken
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { configuration, environment, logger, metrics, scrape } = options;
  await using stack = new AsyncDisposableStack();
  const bus = await openBus(environment, logger);
  if (bus) stack.defer(() => bus.close());
  const signer = await orRefuse('INTERNAL_SIGNING_KEY cannot be used', async () => signerOf(configuration));
  const authenticator = authenticatorOf(configuration);
  const tracer = await tracerOf(configuration, logger);
  if (tracer) stack.defer(() => tracer.close());
  const gateway = await orRefuse('The supergraph cannot be used', () =>
    createGateway({
      ...configuration,
      bus,
      signer,
      authenticator,
      metrics,
      scrape,
      tracer,
      logger,
    }),
  );
  stack.defer(() => gateway.close());
  requireKnown(configuration.requiredUrls, gateway.subgraphs);

  const server = createServer((request, response) => void gateway.answer(request, response));
  const closeServer = closesInOrder(server, GRACE_MS);
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  // Longer than balancers keep an idle connection, so that we never close one under a request.
  server.keepAliveTimeout = 65 * SECOND;
  await orRefuse('It cannot listen', () => {
    const listening = Promise.withResolvers<void>();
    server.once('error', listening.reject);
    server.listen(configuration.port, configuration.host, listening.resolve);
    return listening.promise;
  });
  stack.defer(() => closeServer());
  stack.defer(() => gateway.drain());
  const address = server.address() as AddressInfo;
  const has = {
    signIn: configuration.signIn !== null,
    events: bus !== null,
    vouches: signer !== null,
    traces: tracer !== undefined,
  };
  logger.info({ address, subgraphs: gateway.subgraphs, ...has }, 'listening');
  const started = stack.move();
  return { address, stop: () => started.disposeAsync() };
}

async function openBus(environment: Environment, logger: Logger): Promise<EventBus | null> {
  if (!namesEventBus(environment)) return null;
  return orRefuse('The event bus cannot be reached', () => openEventBus(environment, logger));
}

function signerOf({ signingKey }: GatewayConfiguration): PrincipalSigner | null {
  return signingKey === null ? null : new PrincipalSigner('gateway', signingKey);
}

function authenticatorOf({ signIn }: GatewayConfiguration): Authenticator {
  if (!signIn) return everyoneIsAStranger;
  return jwtAuthenticator({ ...signIn, keys: createRemoteJWKSet(new URL(signIn.jwksUrl)) });
}

/** OpenTelemetry is loaded only where it has something to do. */
async function tracerOf({ tracing }: GatewayConfiguration, logger: Logger): Promise<Tracer | undefined> {
  if (!tracing) return undefined;
  const { OtlpTracer } = await import('./trace.otlp.js');
  return new OtlpTracer({ ...tracing, logger });
}

function requireKnown(required: readonly string[], subgraphs: readonly string[]): void {
  const unknown = required.filter((name) => !subgraphs.includes(name));
  if (unknown.length > 0)
    throw new ConfigurationError(
      `--subgraph: the supergraph has no subgraph ${unknown.join(', ')}; it has ${subgraphs.join(', ')}.`,
    );
}

async function orRefuse<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const refusal = new ConfigurationError(`${what}: ${messageOf(thrown)}`);
    refusal.cause = thrown;
    throw refusal;
  }
}
