import type { Rate } from '../../kernel/money/rate.js';

/** A rate for people: eight decimals, fewer where the rest are zeros. Sums are made with the exact fraction. */
export function rateDecimal(rate: Rate): string {
  return rate.toDecimal(8).replace(/\.?0+$/, '');
}
