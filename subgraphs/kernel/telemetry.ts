import { AsyncLocalStorage } from 'node:async_hooks';
import { type DestinationStream, type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

export type { Logger } from 'pino';

/** Names the request that a log line or an outgoing call belongs to. */
export const currentRequest = new AsyncLocalStorage<{ readonly requestId: string }>();

/** The header that carries the request id between our own services. */
export const REQUEST_ID_HEADER = 'x-request-id';

// Whatever an object under these names holds, it never reaches a log.
const SECRET_PATHS = ['authorization', 'token', 'password', 'secret', 'displayName', 'email', 'vaultReference'].flatMap(
  (name) => [name, `*.${name}`, `*.*.${name}`],
);

/** One JSON line per entry on standard output, with the request id where there is one. */
export function createLogger(
  name: string,
  level = process.env['LOG_LEVEL'] ?? 'info',
  destination: DestinationStream = pino.destination(1),
): Logger {
  const options = {
    name,
    level,
    base: { name },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    // A copy: pino writes the entry's own fields into what it gets here, and the next entry would repeat them.
    mixin: () => ({ ...currentRequest.getStore() }),
  };
  return pino(options, destination);
}

/** A Prometheus registry with the process's own figures. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
