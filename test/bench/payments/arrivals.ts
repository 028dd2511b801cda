import { partner } from '../../../local/seed.identities.js';
import type { Environment } from '../../../subgraphs/kernel/configuration.js';
import type { BusEvent, EventBus, Following } from '../../../subgraphs/kernel/event/event-bus.js';
import { openEventBus } from '../../../subgraphs/kernel/event/open-event-bus.js';
import { createLogger } from '../../../subgraphs/kernel/telemetry.js';

const AWAITED = new Set(['PAID', 'COMPLETED', 'REFUNDED']);
const TROUBLE = new Set(['DECLINED', 'FAILED', 'IN_REVIEW', 'REFUND_FAILED']);
/** Nobody waits for what other parts of the benchmark have published: of that only so much is kept. */
const MOST_UNCLAIMED = 20_000;
const PATIENCE_MS = 120_000;

type Waiting = PromiseWithResolvers<number>;

/**
 * When events of payments have reached the bus, as its followers hear of them: what a gateway then does for each of its
 * subscribers is no part of a payment, and is measured by `npm run bench`.
 */
export class Arrivals {
  private readonly unclaimed = new Map<string, number>();
  private readonly waiting = new Map<string, Waiting>();
  private following: Following | null = null;

  private constructor(private readonly bus: EventBus) {}

  static async open(environment: Environment): Promise<Arrivals> {
    const arrivals = new Arrivals(await openEventBus(environment, createLogger('bench', 'error')));
    arrivals.following = await arrivals.bus.follow(`partner.${partner.id}`, {
      take: (event) => arrivals.take(event),
      lost: () => undefined,
    });
    return arrivals;
  }

  /** When it arrived, on the clock of `performance`. @throws when the payment came to another end, or to none */
  async of(paymentId: string, type: string): Promise<number> {
    const key = `${paymentId} ${type}`;
    const arrived = this.unclaimed.get(key);
    if (arrived !== undefined) {
      this.unclaimed.delete(key);
      return arrived;
    }
    const waiting = Promise.withResolvers<number>();
    this.waiting.set(key, waiting);
    const late = setTimeout(() => waiting.reject(new Error(`${key} never came`)), PATIENCE_MS);
    try {
      return await waiting.promise;
    } finally {
      clearTimeout(late);
      this.waiting.delete(key);
    }
  }

  async close(): Promise<void> {
    this.following?.stop();
    await this.bus.close();
  }

  private take({ payload }: BusEvent): void {
    const { type, paymentId } = payload as { type: string; paymentId: string };
    if (TROUBLE.has(type)) this.fail(paymentId, type);
    if (!AWAITED.has(type)) return;
    const key = `${paymentId} ${type}`;
    const waiting = this.waiting.get(key);
    if (waiting) waiting.resolve(performance.now());
    else this.keep(key);
  }

  private fail(paymentId: string, type: string): void {
    for (const [key, waiting] of this.waiting)
      if (key.startsWith(paymentId)) waiting.reject(new Error(`${paymentId} is ${type}`));
  }

  private keep(key: string): void {
    this.unclaimed.set(key, performance.now());
    const [oldest] = this.unclaimed.keys();
    if (this.unclaimed.size > MOST_UNCLAIMED && oldest !== undefined) this.unclaimed.delete(oldest);
  }
}
