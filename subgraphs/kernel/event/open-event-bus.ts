import { databaseUrl, type Environment } from '../configuration.js';
import type { Logger } from '../telemetry.js';
import type { EventBus } from './event-bus.js';
import { NatsEventBus } from './event-bus.nats.js';
import { PostgresEventBus } from './event-bus.postgres.js';

/**
 * The bus that the environment names: NATS JetStream at `NATS_URL`, else the PostgreSQL database `bus`.
 * @throws ConfigurationError when neither is set
 */
export function openEventBus(environment: Environment, logger: Logger): Promise<EventBus> {
  const natsUrl = environment['NATS_URL'];
  return natsUrl ? NatsEventBus.open(natsUrl, logger) : PostgresEventBus.open(databaseUrl('bus', environment), logger);
}
