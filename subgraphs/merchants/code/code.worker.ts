import { SECOND } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/error.js';
import { Repetition } from '../../kernel/repetition.js';
import type { Logger } from '../../kernel/telemetry.js';
import type { CodeService } from './code.service.js';

const EVERY_MS = 15 * SECOND;

/** Asks the network about orders of whose end nobody has told us: a notification may be lost. */
export class CodeWorker {
  private readonly repetition: Repetition;

  constructor(
    private readonly codes: CodeService,
    private readonly logger: Logger,
    everyMs: number = EVERY_MS,
  ) {
    this.repetition = new Repetition(
      (isStopped) => this.follow(isStopped),
      everyMs,
      (thrown) => logger.warn({ err: thrown }, 'could not look after orders, trying again'),
    );
  }

  start(): void {
    this.repetition.start();
  }

  stop(): Promise<void> {
    return this.repetition.stop();
  }

  private async follow(isStopped: () => boolean): Promise<void> {
    for (const id of await this.codes.takeOverdue()) {
      if (isStopped()) return;
      // The next look at this one is written down already.
      await this.codes
        .follow(id)
        .catch((thrown: unknown) =>
          this.logger.warn({ id, cause: messageOf(thrown) }, 'could not look after an order'),
        );
    }
  }
}
