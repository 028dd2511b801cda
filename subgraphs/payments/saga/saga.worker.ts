import { randomInt } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { JobResult, PgBoss } from 'pg-boss';
import type { Clock } from '../../kernel/clock.js';
import { SessionConnection } from '../../kernel/database.session.js';
import { withoutDeadline } from '../../kernel/deadline.js';
import { messageOf, UnavailableError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { Logger } from '../../kernel/telemetry.js';
import { ensureQueue } from '../jobs.js';
import { type Leasable, Leases, OWNERS, type Rest } from './lease.repository.js';
import { backOff, type Progress } from './saga.states.js';

const RENEW_AFTER_MS = 5_000;
/** How soon the guard looks whether somebody still works on it. */
const GUARD_SECONDS = 10;
const SWEEP_MS = 5_000;
const AFTER_TROUBLE_MS = 1_000;
const SWEEP_MOST = 1_000;
const MOST_AT_ONCE = 64;
const LOUD_AFTER = 20;

/** @typeParam Known what a step hands on to the one that follows it at once */
export interface SagaWork<Known> extends Leasable {
  advance(id: string, known: Known | null): Promise<Progress<Known>>;
}

interface Begun<Known> {
  readonly known: Known;
  readonly at: number;
}

/**
 * Drives what is undecided until it is decided. Who starts something also begins or kicks it, at once and in this
 * process. What has to wait gets a guard job, which comes back until the thing is decided, and a sweep finds what was
 * left: no kill and no lost kick can strand anything. A lease on the row keeps two processes from working on the same
 * thing, and ends with the process that has it; it is a courtesy, not a lock: every step is safe when two do.
 */
export class SagaWorker<Known = unknown> {
  /** With what is known of it, where it was just written under a lease of ours. */
  private readonly waiting = new Map<string, Begun<Known> | null>();
  private readonly running = new Map<string, { kickedAgain: boolean; done: Promise<void> }>();
  private readonly resting = new Map<string, NodeJS.Timeout>();
  /** Those that have a guard, by this process. */
  private readonly guarded = new Set<string>();
  private sweeping: NodeJS.Timeout | null = null;
  private stopped = false;
  /** Names this process in its leases; held as a session lock for as long as it lives. */
  private readonly owner = randomInt(1, 2 ** 31 - 1);
  private readonly leases: Leases;
  private readonly presence: SessionConnection;

  constructor(
    private readonly work: SagaWork<Known>,
    em: EntityManager,
    databaseUrl: string,
    private readonly boss: PgBoss,
    private readonly logger: Logger,
    private readonly now: Clock,
  ) {
    this.leases = new Leases(em, work, this.owner);
    this.presence = new SessionConnection(databaseUrl, `${work.table}-worker`, logger, async (client) => {
      await client.query('select pg_advisory_lock($1, $2)', [OWNERS, this.owner]);
    });
  }

  /** What a new row holds that this process writes and then begins at once: columns and their contents in SQL. */
  get lease(): Readonly<Record<string, string>> {
    return this.leases.columns;
  }

  /** Starts what was just written with our lease. Call it after the commit. @param known what was written */
  begin(id: string, known: Known): void {
    if (this.stopped) return;
    this.waiting.set(id, { known, at: Date.now() });
    this.startNext();
  }

  /** Starts now, or looks again now where it only waits. Call it after the commit. */
  kick(id: string): void {
    if (this.stopped) return;
    clearTimeout(this.resting.get(id));
    this.resting.delete(id);
    const running = this.running.get(id);
    if (running) running.kickedAgain = true;
    else if (!this.waiting.has(id)) this.waiting.set(id, null);
    this.startNext();
  }

  /** Makes it known that this process is there, and that its leases hold. */
  async arrive(): Promise<void> {
    await this.presence.get();
  }

  /** Takes guards, and takes up what an earlier process left. */
  async start(): Promise<void> {
    await Promise.all([this.takeGuards(), this.arrive().then(() => this.sweep())]);
  }

  private async takeGuards(): Promise<void> {
    const { table } = this.work;
    // The same job comes back: one guard for one thing, however often it looks.
    const patience = {
      retryLimit: 1_000_000,
      retryDelay: GUARD_SECONDS,
      expireInSeconds: 30,
      deleteAfterSeconds: 3_600,
    };
    await ensureQueue(this.boss, table, patience);
    const often = { batchSize: 500, pollingIntervalSeconds: 1, burstWhenBatchFull: true, perJobResults: true } as const;
    await this.boss.work<{ id: string }>(table, often, (jobs) => this.look(jobs));
  }

  /** Settles once nothing is under way in this process; what waits for its time goes on waiting. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  /** Finishes the steps under way; what is left is found by the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    if (this.sweeping) clearTimeout(this.sweeping);
    for (const timer of this.resting.values()) clearTimeout(timer);
    this.resting.clear();
    await Promise.all([...this.running.values()].map(({ done }) => done));
    await this.presence.stop();
  }

  /** The guards' visit: a job is complete when its thing is decided, and comes back otherwise. */
  private async look(jobs: readonly { id: string; data: { id: string } }[]): Promise<JobResult[]> {
    const ids = jobs.map(({ data }) => data.id);
    const due = await this.leases.due(ids, ids.length);
    const undecided = new Map(due.map((row) => [row.id, row.is_due]));
    for (const [id, isDue] of undecided) if (isDue) this.kick(id);
    return jobs.map(({ id, data }) => ({ id, status: undecided.has(data.id) ? 'failed' : 'completed' }));
  }

  /** Kicks what should be moving and is not: after a kill its lease has run out. */
  private async sweep(): Promise<void> {
    try {
      for (const { id, is_due } of await this.leases.due(null, SWEEP_MOST)) if (is_due) this.kick(id);
    } catch (thrown) {
      this.logger.warn({ err: thrown }, 'could not look for what is undecided');
    }
    // Also makes the presence known again after a lost connection.
    if (!this.stopped) void this.presence.get().catch(() => undefined);
    if (!this.stopped) this.sweeping = setTimeout(() => void this.sweep(), SWEEP_MS);
  }

  private startNext(): void {
    for (const [id, begun] of this.waiting) {
      if (this.running.size >= MOST_AT_ONCE) return;
      this.waiting.delete(id);
      const slot = { kickedAgain: false, done: Promise.resolve() };
      this.running.set(id, slot);
      // Whoever kicked it waits for an answer, and not for what is done here.
      slot.done = withoutDeadline(() => this.drive(id, begun))
        .catch((thrown: unknown) => {
          this.logger.error({ err: thrown, id }, 'could not drive, trying again');
          this.later(id, AFTER_TROUBLE_MS);
        })
        .finally(() => {
          this.running.delete(id);
          if (slot.kickedAgain) this.kick(id);
          else this.startNext();
        });
    }
  }

  /** Step by step until it is decided or has to wait. Who waits keeps neither its place nor its lease. */
  private async drive(id: string, begun: Begun<Known> | null): Promise<void> {
    const isLeased = begun && Date.now() - begun.at < RENEW_AFTER_MS;
    const attempt = isLeased ? 0 : await this.leases.claim(id, this.now());
    // Decided, or somebody else's: whose wait writes a guard of its own.
    if (attempt === null) return void this.guarded.delete(id);
    faultPoint('worker.claimed');
    let leasedAt = isLeased ? begun.at : Date.now();
    let known = isLeased ? begun.known : null;
    for (let failures = attempt; !this.stopped; failures = 0) {
      const progress = await this.advance(id, known, failures);
      if (progress.kind === 'OVER') this.guarded.delete(id);
      if (progress.kind === 'OVER' && progress.released) {
        // Nothing can be done for it any more, whoever has asked meanwhile.
        const running = this.running.get(id);
        if (running) running.kickedAgain = false;
        return;
      }
      if (progress.kind === 'OVER') break;
      if (progress.kind === 'WAIT') return this.rest(id, progress, failures);
      known = progress.known;
      if (Date.now() - leasedAt < RENEW_AFTER_MS) continue;
      await this.leases.renew(id);
      leasedAt = Date.now();
    }
    faultPoint('worker.before-release');
    await this.leases.release(id);
    faultPoint('worker.released');
  }

  private async advance(id: string, known: Known | null, failures: number): Promise<Progress<Known>> {
    try {
      return await this.work.advance(id, known);
    } catch (thrown) {
      // Nothing is lost: the same step is tried again, after a while.
      this.logger.warn({ err: thrown, id, cause: messageOf(thrown) }, 'a step failed, trying again');
      // Thrown before anything was asked outside is only what another subgraph of ours did not say.
      return backOff(failures, !(thrown instanceof UnavailableError));
    }
  }

  private async rest(id: string, rest: Rest, failures: number): Promise<void> {
    if (rest.failed && failures > 0 && failures % LOUD_AFTER === 0)
      this.logger.error({ id, attempts: failures }, 'undecided after many attempts');
    faultPoint('worker.before-rest');
    await this.leases.rest(id, rest, this.now());
    faultPoint('worker.rested');
    this.later(id, rest.ms);
    await this.guard(id);
  }

  /** From now on somebody comes back to it, whatever becomes of this process: one guard for each that has to wait. */
  private async guard(id: string): Promise<void> {
    if (this.guarded.has(id)) return;
    this.guarded.add(id);
    try {
      await this.boss.send(this.work.table, { id }, { startAfter: GUARD_SECONDS });
    } catch (thrown) {
      // The next wait writes it, and the sweep finds the thing without.
      this.guarded.delete(id);
      this.logger.warn({ err: thrown, id }, 'could not write a guard');
    }
  }

  private later(id: string, ms: number): void {
    clearTimeout(this.resting.get(id));
    if (this.stopped) return;
    const timer = setTimeout(() => this.kick(id), ms);
    this.resting.set(id, timer);
  }
}
