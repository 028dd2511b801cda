import type { EntityManager } from '@mikro-orm/postgresql';
import { after, type Clock, DAY } from '../../kernel/clock.js';
import type { Candle, MarketRate } from './market-rate.js';
import type { RateSource } from './rate.client.js';
import { InvalidRange, RateUnavailable, requireCurrency } from './rate.errors.js';
import { type Interval, ReferenceRateRepository } from './reference-rate.repository.js';

/** The most intervals that one answer may have. */
const MOST_INTERVALS = 1_000;
const DAYS: Record<Interval, number> = { DAY: 1, WEEK: 7, MONTH: 31 };

export interface HistoryRequest {
  readonly base: string;
  readonly quote: string;
  /** `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
  readonly interval: Interval;
}

export class RateService {
  constructor(
    private readonly em: EntityManager,
    private readonly source: RateSource,
    private readonly staleAfterMs: number,
    private readonly now: Clock,
  ) {}

  /**
   * The current mid-market rate.
   * @throws InvalidCurrency, RateUnavailable
   */
  async current(baseCode: string, quoteCode: string): Promise<MarketRate> {
    const [base, quote] = [requireCurrency(baseCode), requireCurrency(quoteCode)];
    const newest = await this.source.find(base, quote);
    if (!newest || newest.asOf < this.oldest()) throw new RateUnavailable(base, quote);
    return newest;
  }

  /** The current rate of every pair that has one: exactly those for which `current` answers. */
  allCurrent(): Promise<readonly MarketRate[]> {
    return this.source.newest(this.oldest());
  }

  /**
   * The reference rates of a time, summed up by interval; empty where the ECB published none.
   * @throws InvalidCurrency, InvalidRange, RateUnavailable for a pair that was never published
   */
  async history(request: HistoryRequest): Promise<Candle[]> {
    const { from, to, interval } = request;
    const [base, quote] = [requireCurrency(request.base), requireCurrency(request.quote)];
    if (from > to) throw new InvalidRange('`from` is after `to`.');
    const mostDays = MOST_INTERVALS * DAYS[interval];
    if ((Date.parse(to) - Date.parse(from)) / DAY >= mostDays)
      throw new InvalidRange('Ask for a shorter time, or for longer intervals.', { mostDays });
    const repository = new ReferenceRateRepository(this.em.fork());
    const candles = await repository.candles(base, quote, from, to, interval);
    if (candles.length === 0 && !(await repository.newest(base, quote))) throw new RateUnavailable(base, quote);
    return candles;
  }

  /** A rate from before that is none any more: an old price would let a payer choose between yesterday and today. */
  private oldest(): Date {
    return after(this.now(), -this.staleAfterMs);
  }
}
