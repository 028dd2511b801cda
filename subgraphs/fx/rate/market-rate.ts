import type { Currency } from '../../kernel/money/currency.js';
import type { Rate } from '../../kernel/money/rate.js';

/** A mid-market rate, and since when it is one. */
export interface MarketRate {
  readonly rate: Rate;
  readonly asOf: Date;
  /** Who says so: `ECB`, `SIMULATED`. */
  readonly source: string;
}

/** One reference rate: what one euro cost on that day, as the European Central Bank published it. */
export interface ReferenceRate {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly currency: Currency;
  /** A positive decimal. */
  readonly perEuro: string;
}

/** The rates of one interval, as decimals with at most eight places. */
export interface Candle {
  /** The first day of the interval: a Monday, the first of a month. */
  readonly date: string;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
}
