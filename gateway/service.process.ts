import cluster from 'node:cluster';
import type { Environment } from '../subgraphs/kernel/configuration.js';
import { createMetrics, type Logger } from '../subgraphs/kernel/telemetry.js';
import type { GatewayConfiguration } from './configuration.js';
import { startService } from './service.js';
import { stopOnSignals } from './service.signals.js';
import { WORKER_VARIABLE } from './workers.js';
import { scrapeAll } from './workers.metrics.js';

/** Runs a gateway in this process until the word to stop: the only one, or one of several workers. */
export async function runService(
  configuration: GatewayConfiguration,
  environment: Environment,
  logger: Logger,
): Promise<void> {
  const metrics = createMetrics();
  const { worker } = cluster;
  const number = environment[WORKER_VARIABLE];
  if (worker && number) metrics.setDefaultLabels({ worker: number });
  const service = await startService({
    configuration,
    environment,
    logger: worker ? logger.child({ worker: Number(number) }) : logger,
    metrics,
    scrape: worker && scrapeAll(metrics, worker),
  });
  stopOnSignals(async () => {
    await service.stop();
    // The line to the supervisor would keep it alive.
    worker?.disconnect();
  }, logger);
}
