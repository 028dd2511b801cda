import { SECOND } from '../../kernel/clock.js';
import type { EventBus, OutgoingEvent } from '../../kernel/event/event-bus.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Repetition } from '../../kernel/repetition.js';
import type { Logger } from '../../kernel/telemetry.js';
import type { MarketRate } from './market-rate.js';
import type { RateService } from './rate.service.js';
import { rateDecimal } from './rate-decimal.js';

// The wallet currencies of the live and announced markets, against the currency that their travelers spend.
const WALLETS: readonly Currency[] = ['USD', 'AUD', 'CAD', 'EUR', 'GBP', 'JPY', 'SGD'];
const PAID = new Set(WALLETS.flatMap((currency) => [`rate.${currency}.CNY`, `rate.CNY.${currency}`]));

/** How often the rate of a pair that nobody pays with is published at most: there are hundreds of them. */
const LOOKED_AT_MS = 30 * SECOND;

/** So many at a time, that whoever else publishes does not wait for all of them. */
const BATCH = 50;

/**
 * Publishes the rate of every pair that has one, when it changed: whoever follows a pair hears of it, whichever it is.
 * What nobody may trade on any more is not published.
 */
export class RateFeed {
  private readonly published = new Map<string, number>();
  private readonly repetition: Repetition;

  constructor(
    private readonly rates: RateService,
    private readonly bus: EventBus,
    intervalMs: number,
    logger: Logger,
  ) {
    this.repetition = new Repetition(
      (isStopped) => this.publishChanges(isStopped),
      intervalMs,
      (thrown) => logger.warn({ err: thrown }, 'could not publish rates, trying again'),
    );
  }

  start(): void {
    this.repetition.start();
  }

  stop(): Promise<void> {
    return this.repetition.stop();
  }

  private async publishChanges(isStopped: () => boolean): Promise<void> {
    const due = (await this.rates.allCurrent()).filter((rate) => this.isDue(rate));
    for (let start = 0; start < due.length && !isStopped(); start += BATCH) {
      const changes = due.slice(start, start + BATCH);
      await this.bus.publish(changes.map(eventOf));
      for (const rate of changes) this.published.set(subjectOf(rate), rate.asOf.getTime());
    }
  }

  private isDue(rate: MarketRate): boolean {
    const subject = subjectOf(rate);
    const publishedAsOf = this.published.get(subject);
    if (publishedAsOf === undefined) return true;
    const newer = rate.asOf.getTime() - publishedAsOf;
    return PAID.has(subject) ? newer !== 0 : newer >= LOOKED_AT_MS;
  }
}

function subjectOf({ rate }: MarketRate): string {
  return `rate.${rate.base}.${rate.quote}`;
}

/** The same rate has the same id, whichever process publishes it. */
function eventOf(newest: MarketRate): OutgoingEvent {
  const { rate, asOf, source } = newest;
  const subject = subjectOf(newest);
  return {
    id: `${subject}.${source}.${asOf.getTime()}`,
    subjects: [subject],
    payload: { base: rate.base, quote: rate.quote, rate: rateDecimal(rate), asOf: asOf.toISOString(), source },
    latestOnly: true,
  };
}
