import type { EntityManager } from '@mikro-orm/postgresql';
import type { PgBoss } from 'pg-boss';
import { type Clock, SECOND, sleep } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import type { Logger } from '../../kernel/telemetry.js';
import { ensureQueue, ensureSchedule } from '../jobs.js';
import { highestPostingId, sealNext, writersOfPostings } from './seal.repository.js';

const QUEUE = 'seal-postings';
/** Longer than any transaction of ours may sleep; what is not decided by then is sealed a minute later. */
const PATIENCE_MS = 20 * SECOND;
const PAUSE_MS = 50;

/**
 * Seals postings behind those who write them: no payment ever waits for the chain. Each seal is also a line of the log,
 * so that who cuts the end off the chain, with its postings, contradicts what was said outside the database.
 */
export class SealWorker {
  constructor(
    private readonly em: EntityManager,
    private readonly boss: PgBoss,
    private readonly logger: Logger,
    private readonly now: Clock,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  async start(): Promise<void> {
    await ensureQueue(this.boss, QUEUE, { deleteAfterSeconds: 3_600 });
    await this.boss.work(QUEUE, { pollingIntervalSeconds: 30 }, async ([job]) => this.seal(job?.signal));
    await ensureSchedule(this.boss, QUEUE, '* * * * *');
  }

  /** Seals all postings that are decided by now, a run in each transaction. */
  async seal(stopping?: AbortSignal): Promise<void> {
    const upTo = await this.decided(stopping);
    while (upTo !== null && !stopping?.aborted) {
      const seal = await transaction(this.em, (em) => sealNext(em, upTo, this.now()));
      if (!seal) return;
      const { sequence, toId, postings, hash } = seal;
      this.logger.info({ sequence: String(sequence), toId: String(toId), postings, hash }, 'sealed postings');
    }
  }

  /**
   * Up to which id every posting is either to be seen or will never be. An id is drawn before its transaction commits, so
   * a lower one may appear after a higher one: those who write now are waited for, and nobody who comes later.
   * @returns null when one of them is at it for too long
   */
  private async decided(stopping?: AbortSignal): Promise<bigint | null> {
    const em = this.em.fork();
    const upTo = await highestPostingId(em);
    const before = new Set(await writersOfPostings(em));
    for (let waited = 0; before.size > 0; waited += PAUSE_MS) {
      if (waited >= this.patienceMs || stopping?.aborted) return null;
      await sleep(PAUSE_MS, stopping);
      const still = new Set(await writersOfPostings(em));
      for (const writer of before) if (!still.has(writer)) before.delete(writer);
    }
    return upTo;
  }
}
