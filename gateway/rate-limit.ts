import { isIPv6 } from 'node:net';
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

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** A token bucket for each asker, in this process: behind a balancer each gateway counts for itself. */
export class RateLimiter {
  // Each counts as one. A cache that is told how many there may be (`max`) makes all their places at once, for nobody yet.
  private readonly buckets = new LRUCache<string, Bucket>({ maxSize: MOST_ASKERS, sizeCalculation: () => 1 });

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws UnavailableError RATE_LIMITED, with the milliseconds to wait */
  take(asker: string): void {
    const bucket = this.filled(asker);
    if (bucket.tokens < 1) {
      const waitMs = Math.ceil(((1 - bucket.tokens) / this.rate.perSecond) * SECOND);
      throw new UnavailableError('RATE_LIMITED', 'You ask too often. Wait a moment.', { retryAfterMs: waitMs });
    }
    bucket.tokens -= 1;
  }

  /**
   * Takes more for what was begun already. It may leave a debt, of at most one burst: nobody could ever run an operation
   * that weighs more than a bucket holds, and nobody is shut out for longer than a bucket takes to fill twice.
   */
  charge(asker: string, tokens: number): void {
    const bucket = this.filled(asker);
    bucket.tokens = Math.max(bucket.tokens - tokens, -this.rate.burst);
  }

  private filled(asker: string): Bucket {
    const now = this.now();
    const bucket = this.buckets.get(asker) ?? { tokens: this.rate.burst, filledAt: now };
    const refilled = bucket.tokens + ((now - bucket.filledAt) / SECOND) * this.rate.perSecond;
    bucket.tokens = Math.min(refilled, this.rate.burst);
    bucket.filledAt = now;
    this.buckets.set(asker, bucket);
    return bucket;
  }
}

/**
 * What one address is counted as. An IPv6 host chooses among the 2^64 addresses of its network, so the network counts;
 * an IPv4 address may come written as an IPv6 one.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const missing = tail === undefined ? 0 : 8 - groups.length - after.length;
  const network = [...groups, ...Array<string>(missing).fill('0'), ...after].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
