import { databaseUrl, type Environment } from '../configuration.js';
import type { Logger } from '../telemetry.js';
import type { EventBus } from './event-bus.js';

/**
 * The bus that the environment names: NATS JetStream at `NATS_URL`, else the PostgreSQL database `bus`. Only that one's
 * driver is loaded.
 * @throws ConfigurationError when neither is set
 */
export function openEventBus(environment: Environment, logger: Logger): Promise<EventBus> {
  const natsUrl = environment['NATS_URL'];
  if (natsUrl) return import('./event-bus.nats.js').then(({ NatsEventBus }) => NatsEventBus.open(natsUrl, logger));
  const url = databaseUrl('bus', environment);
  return import('./event-bus.postgres.js').then(({ PostgresEventBus }) => PostgresEventBus.open(url, logger));
}

/** Whether the environment names one. */
export function namesEventBus(environment: Environment): boolean {
  return Boolean(environment['NATS_URL'] || environment['DATABASE_URL_BUS'] || environment['DATABASE_URL']);
}
