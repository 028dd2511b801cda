import cluster from 'node:cluster';
import type { Logger } from '../subgraphs/kernel/telemetry.js';

/** Stops at the first word to stop, or when whoever started this process is gone; words after the first change nothing. */
export function stopOnSignals(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  const stopOnce = (word: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ word }, 'stopping');
    stop().catch((thrown: unknown) => {
      logger.error({ err: thrown }, 'did not stop cleanly');
      process.exitCode = 1;
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopOnce(signal));
  // A worker without its supervisor ends by itself.
  if (cluster.isWorker || !process.channel) return;
  process.on('disconnect', () => stopOnce('disconnect'));
  // Listening for that must not keep us from ending.
  process.channel.unref();
}
