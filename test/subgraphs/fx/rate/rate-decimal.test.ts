import { describe, expect, it } from '@jest/globals';
import { rateDecimal } from '../../../../subgraphs/fx/rate/rate-decimal.js';
import { Rate } from '../../../../subgraphs/kernel/money/rate.js';

describe('A rate for people', () => {
  it.each([
    ['7.2000', '7.2'],
    ['7.2030', '7.203'],
    ['100', '100'],
    ['1.0', '1'],
    ['0.123456785', '0.12345678'],
    ['0.123456789', '0.12345679'],
    ['1.00000001', '1.00000001'],
  ])('of %s is %s: eight decimals, fewer where the rest are zeros', (exact, shown) => {
    expect(rateDecimal(Rate.parse(exact, 'USD', 'CNY'))).toBe(shown);
  });
});
