import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { fromKysely, type PgBoss } from 'pg-boss';
import { messageOf } from '../../kernel/error.js';
import type { Logger } from '../../kernel/telemetry.js';
import { backOff, type Progress } from './saga.states.js';

/** Longer than any single call outside; a killed process's work is taken up after that. */
const LEASE_SECONDS = 15;
/** How soon the guard looks whether somebody still works on it. */
const GUARD_SECONDS = 10;
/** Waits up to this are sat out; longer ones are left to the guard. */
const SIT_OUT_MS = 5_000;
const MOST_AT_ONCE = 64;

export interface SagaWork {
  /** The queue and the table: its rows have `status`, `attempt`, `lease_until` and `next_attempt_at`. */
  readonly table: 'payment' | 'refund';
  readonly undecided: readonly string[];
  advance(id: string): Promise<Progress>;
}

/**
 * Drives what is undecided until it is decided. Who starts something also kicks it, at once and in this process; a
 * guard job, written in the same transaction, follows it until the end, so that no kill and no lost kick can strand
 * it. A lease on the row keeps two processes from working on the same thing; it is a courtesy, not a lock: every step
 * is safe when two do.
 */
export class SagaWorker {
  private readonly waiting: string[] = [];
  private readonly running = new Map<string, { wake: AbortController; done: Promise<void> }>();
  private stopped = false;

  constructor(
    private readonly work: SagaWork,
    private readonly em: EntityManager,
    private readonly boss: PgBoss,
    private readonly logger: Logger,
  ) {}

  /** Writes the guard, in the transaction that starts the thing. */
  async guard(em: EntityManager, id: string): Promise<void> {
    await this.boss.send(
      this.work.table,
      { id },
      { startAfter: GUARD_SECONDS, db: fromKysely(em.getKysely() as never) },
    );
  }

  /** Starts now, or looks again now where it only waits. Call it after the commit. */
  kick(id: string): void {
    if (this.stopped) return;
    const running = this.running.get(id);
    if (running) {
      running.wake.abort();
      return;
    }
    if (this.waiting.includes(id)) return;
    this.waiting.push(id);
    this.startNext();
  }

  /** Takes guards, and takes up what an earlier process left. */
  async start(): Promise<void> {
    const { table } = this.work;
    await this.boss.createQueue(table, {
      retryLimit: 1_000,
      retryDelay: 5,
      expireInSeconds: 60,
      deleteAfterSeconds: 3_600,
    });
    await this.boss.work<{ id: string }>(table, { batchSize: 100, pollingIntervalSeconds: 1 }, async (jobs) => {
      await Promise.all(jobs.map((job) => this.look(job.data.id)));
    });
    for (const id of await this.undecided()) this.kick(id);
  }

  /** Finishes the steps under way; what is left is found by the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.length = 0;
    for (const { wake } of this.running.values()) wake.abort();
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  /** The guard's visit: ends with another visit planned, unless the thing is decided. */
  private async look(id: string): Promise<void> {
    const [row] = await this.em.fork().execute<{ undecided: boolean; wait_seconds: number }[]>(
      `select status = any(?::text[]) as undecided,
              greatest(extract(epoch from next_attempt_at - now()), extract(epoch from lease_until - now()), 0)::float8 as wait_seconds
         from ${this.work.table} where id = ?`,
      [this.undecidedStatuses(), id],
    );
    if (!row?.undecided) return;
    if (row.wait_seconds <= 0) this.kick(id);
    await this.boss.send(this.work.table, { id }, { startAfter: Math.ceil(row.wait_seconds) || GUARD_SECONDS });
  }

  private startNext(): void {
    while (this.running.size < MOST_AT_ONCE) {
      const id = this.waiting.shift();
      if (!id) return;
      const slot = { wake: new AbortController(), done: Promise.resolve() };
      this.running.set(id, slot);
      slot.done = this.drive(id, slot)
        .catch((thrown: unknown) => this.logger.error({ err: thrown, id }, 'could not drive'))
        .finally(() => {
          this.running.delete(id);
          this.startNext();
        });
    }
  }

  private async drive(id: string, slot: { wake: AbortController }): Promise<void> {
    if (!(await this.claim(id))) return;
    let claimedAt = Date.now();
    for (let failures = 0; !this.stopped; ) {
      const progress = await this.advance(id, failures);
      if (progress.kind === 'OVER') break;
      if (progress.kind === 'MOVED') failures = 0;
      else {
        failures += progress.failed ? 1 : 0;
        await this.rest(id, progress);
        if (progress.ms > SIT_OUT_MS) return;
        claimedAt = Date.now();
        await delay(progress.ms, undefined, { signal: slot.wake.signal }).catch(() => undefined);
        slot.wake = new AbortController();
      }
      if (Date.now() - claimedAt > (LEASE_SECONDS * 1_000) / 3) {
        await this.renew(id);
        claimedAt = Date.now();
      }
    }
    await this.release(id);
  }

  private async advance(id: string, failures: number): Promise<Progress> {
    try {
      return await this.work.advance(id);
    } catch (thrown) {
      // Nothing is lost: the same step is tried again, after a while.
      this.logger.warn({ err: thrown, id, cause: messageOf(thrown) }, 'a step failed, trying again');
      return backOff(failures);
    }
  }

  private async claim(id: string): Promise<boolean> {
    const rows = await this.em.fork().execute<unknown[]>(
      `update ${this.work.table} set lease_until = now() + interval '${LEASE_SECONDS} seconds', next_attempt_at = null
        where id = ? and status = any(?::text[]) and (lease_until is null or lease_until < now()) returning id`,
      [id, this.undecidedStatuses()],
    );
    return rows.length > 0;
  }

  private async rest(id: string, { ms, failed }: { ms: number; failed: boolean }): Promise<void> {
    const leave = ms > SIT_OUT_MS;
    await this.em.fork().execute(
      `update ${this.work.table} set attempt = attempt + ?,
              next_attempt_at = now() + ? * interval '1 millisecond',
              lease_until = case when ? then null else now() + interval '${LEASE_SECONDS} seconds' end
        where id = ?`,
      [failed ? 1 : 0, ms, leave, id],
    );
  }

  private async renew(id: string): Promise<void> {
    await this.em
      .fork()
      .execute(`update ${this.work.table} set lease_until = now() + interval '${LEASE_SECONDS} seconds' where id = ?`, [
        id,
      ]);
  }

  private async release(id: string): Promise<void> {
    await this.em.fork().execute(`update ${this.work.table} set lease_until = null where id = ?`, [id]);
  }

  private async undecided(): Promise<string[]> {
    const rows = await this.em.fork().execute<{ id: string }[]>(
      `select id from ${this.work.table} where status in (${this.work.undecided.map((status) => `'${status}'`).join(', ')})
          order by created_at limit 10000`,
    );
    return rows.map((row) => row.id);
  }

  private undecidedStatuses(): string {
    return `{${this.work.undecided.join(',')}}`;
  }
}
