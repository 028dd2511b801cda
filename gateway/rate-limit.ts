import { LRUCache } from 'lru-cache';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { UnavailableError } from '../subgraphs/kernel/error.js';

export interface Rate {
  /** How many operations a second, in the long run. */
  readonly perSecond: number;
  /** How many at once, after a pause. */
  readonly burst: number;
}

// More askers than this at once: the quietest are forgotten, and start with a full bucket.
const MOST_ASKERS = 50_000;

/** A token bucket for each asker, in this process: behind a balancer each gateway counts for itself. */
export class RateLimiter {
  private readonly buckets = new LRUCache<string, { tokens: number; filledAt: number }>({ max: MOST_ASKERS });

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws UnavailableError RATE_LIMITED, with the milliseconds to wait */
  take(asker: string): void {
    const now = this.now();
    const bucket = this.buckets.get(asker) ?? { tokens: this.rate.burst, filledAt: now };
    const refilled = bucket.tokens + ((now - bucket.filledAt) / SECOND) * this.rate.perSecond;
    bucket.tokens = Math.min(refilled, this.rate.burst);
    bucket.filledAt = now;
    this.buckets.set(asker, bucket);
    if (bucket.tokens < 1) {
      const waitMs = Math.ceil(((1 - bucket.tokens) / this.rate.perSecond) * SECOND);
      throw new UnavailableError('RATE_LIMITED', 'You ask too often. Wait a moment.', { retryAfterMs: waitMs });
    }
    bucket.tokens -= 1;
  }
}
