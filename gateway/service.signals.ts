import type { Logger } from '../subgraphs/kernel/telemetry.js';

/** Stops at the first word to stop; those after it change nothing. */
export function stopOnSignals(stop: () => Promise<void>, logger: Logger): void {
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
}
