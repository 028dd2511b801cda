import { createHash } from 'node:crypto';
import type { QueryPlan } from '@apollo/query-planner';
import { LRUCache } from 'lru-cache';
import { MINUTE, SECOND } from '../subgraphs/kernel/clock.js';
import { InvalidError, UnavailableError } from '../subgraphs/kernel/error.js';
import { FairLine } from './fair-line.js';
import type { PreparationMetrics } from './metrics.preparation.js';
import { OURSELVES, type Planner, type Planning } from './plan.js';

/** An operation to be planned, for all who ask for it meanwhile. */
interface Job {
  readonly text: string;
  readonly since: number;
  readonly planned: PromiseWithResolvers<QueryPlan>;
  isWaiting: boolean;
}

// Long enough that whoever repeats it gains nothing, and not so long that a busy moment of ours locks a good one out.
const REMEMBERED_MS = MINUTE;
const MOST_REMEMBERED = 1_000;
const RETRY_AFTER_MS = SECOND;

/** Before whoever plans: one operation at a time, one of each asker in turn, so many at most. */
export class PlanningLine implements Planner {
  private readonly line = new FairLine<Job>();
  private readonly jobs = new Map<string, Job>();
  /** What took too long, by the hash of its text. */
  private readonly refused = new LRUCache<string, InvalidError>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });
  private isPlanning = false;
  private isClosed = false;

  constructor(
    private readonly planning: Planning,
    private readonly mostWaiting: number,
    private readonly metrics: PreparationMetrics,
  ) {}

  get waiting(): number {
    return this.line.length;
  }

  async plan(text: string, asker: string): Promise<QueryPlan> {
    const job = this.jobs.get(text) ?? this.newJob(text);
    // Also where others wait for it: whoever of them has the next turn has it for all.
    if (job.isWaiting) this.line.enter(asker, job);
    if (this.line.length > this.mostWaiting) this.crowdOut();
    void this.planAll();
    return job.planned.promise;
  }

  ready(): Promise<void> {
    return this.planning.ready();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (let job = this.line.take(); job; job = this.line.take()) this.refuse(job, closing());
    await this.planning.close();
  }

  /** @throws InvalidError OPERATION_TOO_COMPLEX, UnavailableError */
  private newJob(text: string): Job {
    if (this.isClosed) throw closing();
    const known = this.refused.size > 0 ? this.refused.get(nameOf(text)) : undefined;
    if (known) {
      this.metrics.refused('remembered');
      throw known;
    }
    const job = { text, since: performance.now(), planned: Promise.withResolvers<QueryPlan>(), isWaiting: true };
    this.jobs.set(text, job);
    return job;
  }

  /** Whoever has most in line gives way, so that a flood refuses itself. */
  private crowdOut(): void {
    const job = this.line.crowdOut(OURSELVES);
    if (!job) return;
    this.metrics.refused('full');
    const details = { what: 'planning', most: this.mostWaiting, retryAfterMs: RETRY_AFTER_MS };
    this.refuse(job, new UnavailableError('RATE_LIMITED', 'Too many new operations wait to be planned.', details));
  }

  private async planAll(): Promise<void> {
    if (this.isPlanning) return;
    this.isPlanning = true;
    for (let job = this.line.take(); job; job = this.line.take()) await this.planOne(job);
    this.isPlanning = false;
  }

  /** Never throws: what is wrong with one is said to those who asked for it. */
  private async planOne(job: Job): Promise<void> {
    const { metrics } = this;
    const started = performance.now();
    job.isWaiting = false;
    metrics.waited(started - job.since);
    try {
      const plan = await this.planning.plan(job.text);
      metrics.planned(performance.now() - started);
      this.jobs.delete(job.text);
      job.planned.resolve(plan);
    } catch (thrown) {
      if (thrown instanceof InvalidError) {
        metrics.refused('limit');
        this.refused.set(nameOf(job.text), thrown);
      }
      this.refuse(job, this.isClosed ? closing() : thrown);
    }
  }

  private refuse(job: Job, why: unknown): void {
    this.jobs.delete(job.text);
    job.planned.reject(why);
  }
}

/** A text may be long. */
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function closing(): UnavailableError {
  return new UnavailableError('SUBGRAPH_UNAVAILABLE', 'This gateway stops: ask again.');
}
