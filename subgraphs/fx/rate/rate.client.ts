import type { Currency } from '../../kernel/money/currency.js';
import type { MarketRate } from './market-rate.js';

/** Where mid-market rates come from. A provider of live rates is connected by implementing this. */
export interface RateSource {
  /** The newest rate, however old; null for a pair that the source does not have. */
  find(base: Currency, quote: Currency): Promise<MarketRate | null>;

  /** The newest rate of every pair that the source has, a currency with itself included; none from before `since`. */
  newest(since: Date): Promise<readonly MarketRate[]>;
}
