import type { EntityManager } from '@mikro-orm/postgresql';
import type { PgBoss } from 'pg-boss';
import { after, type Clock, DAY } from '../../kernel/clock.js';
import { ensureQueue, ensureSchedule } from '../jobs.js';
import { forget } from './notification.repository.js';

const QUEUE = 'prune-notifications';
/**
 * Ten times as long as the most patient sender tries: PayPal for 3 days, WeChat Pay for a day. One that came later
 * still would only make the saga look once more.
 */
const RETENTION_MS = 30 * DAY;
const BATCH = 1_000;

/** Forgets notifications that nobody sends again. */
export class NotificationWorker {
  constructor(
    private readonly em: EntityManager,
    private readonly boss: PgBoss,
    private readonly now: Clock,
  ) {}

  async start(): Promise<void> {
    await ensureQueue(this.boss, QUEUE, { deleteAfterSeconds: 3_600 });
    await this.boss.work(QUEUE, { pollingIntervalSeconds: 60 }, async ([job]) => this.prune(job?.signal));
    await ensureSchedule(this.boss, QUEUE, '17 * * * *');
  }

  /** A batch at a time, each in a transaction of its own, so that those that arrive never wait for it. */
  async prune(stopping?: AbortSignal): Promise<void> {
    const before = after(this.now(), -RETENTION_MS);
    while (!stopping?.aborted && (await forget(this.em.fork(), before, BATCH)) === BATCH);
  }
}
