import type { EntityManager } from '@mikro-orm/postgresql';
import type { PgBoss } from 'pg-boss';
import type { Clock } from '../../kernel/clock.js';
import { ensureQueue, ensureSchedule } from '../jobs.js';

const QUEUE = 'expire-checkouts';

/** Writes EXPIRED where the clock has said so for a while; nobody waits for it, because readers look at the clock. */
export class CheckoutWorker {
  constructor(
    private readonly em: EntityManager,
    private readonly boss: PgBoss,
    private readonly now: Clock,
  ) {}

  async start(): Promise<void> {
    await ensureQueue(this.boss, QUEUE, { deleteAfterSeconds: 3_600 });
    await this.boss.work(QUEUE, { pollingIntervalSeconds: 30 }, () => this.expire());
    await ensureSchedule(this.boss, QUEUE, '* * * * *');
  }

  /** A thousand at a time, never waiting for a checkout that somebody confirms at this moment. */
  async expire(): Promise<void> {
    await this.em.fork().execute(
      `update checkout set status = 'EXPIRED' where id in (
         select id from checkout where status = 'OPEN' and expires_at <= ? limit 1000 for update skip locked)`,
      [this.now()],
    );
  }
}
