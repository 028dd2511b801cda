import { Registry } from 'prom-client';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { stopOnSignals } from './service.signals.js';
import { Workers } from './workers.js';
import { gatherFigures } from './workers.metrics.js';

/** Runs so many workers until the word to stop. Resolves with an exit code when all are gone. */
export async function superviseWorkers(count: number, logger: Logger): Promise<number> {
  const workers = new Workers(count, logger);
  gatherFigures(workers, new Registry(), logger);
  stopOnSignals(() => workers.stop(), logger);
  return workers.run();
}
