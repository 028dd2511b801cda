import type { Currency } from '../../kernel/money/currency.js';
import type { Rate } from '../../kernel/money/rate.js';

/** A mid-market rate, and since when it is one. */
export interface MarketRate {
  readonly rate: Rate;
  readonly asOf: Date;
  /** Who says so: `ECB`, `SIMULATED`. */
  readonly source: string;
}

/** Where mid-market rates come from. A provider of live rates is connected by implementing this. */
export interface RateSource {
  /** The newest rate, however old; null for a pair that the source does not have. */
  find(base: Currency, quote: Currency): Promise<MarketRate | null>;
}
