import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { divideDown, divideHalfEven, divideUp } from '../../../../subgraphs/kernel/money/division.js';

const dividends = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const divisors = fc.bigInt({ min: 1n, max: 10n ** 12n });

describe('division', () => {
  it('rounds down to the largest whole number that is not above the quotient', () => {
    fc.assert(
      fc.property(dividends, divisors, (dividend, divisor) => {
        const quotient = divideDown(dividend, divisor);
        expect(quotient * divisor <= dividend && dividend < (quotient + 1n) * divisor).toBe(true);
      }),
    );
  });

  it('rounds up to the smallest whole number that is not below the quotient', () => {
    fc.assert(
      fc.property(dividends, divisors, (dividend, divisor) => {
        const quotient = divideUp(dividend, divisor);
        expect((quotient - 1n) * divisor < dividend && dividend <= quotient * divisor).toBe(true);
      }),
    );
  });

  it('rounds to the nearest, off by half at most, and a tie to the even neighbour', () => {
    fc.assert(
      fc.property(dividends, divisors, (dividend, divisor) => {
        const quotient = divideHalfEven(dividend, divisor);
        const twiceOff = 2n * (dividend - quotient * divisor);
        expect(twiceOff <= divisor && -twiceOff <= divisor).toBe(true);
        if (twiceOff === divisor || -twiceOff === divisor) expect(quotient % 2n).toBe(0n);
      }),
    );
    expect([-5n, -3n, -1n, 1n, 3n, 5n].map((halves) => divideHalfEven(halves, 2n))).toEqual([-2n, -2n, 0n, 0n, 2n, 2n]);
  });

  it.each([0n, -1n])('never divides by %s', (divisor) => {
    for (const divide of [divideDown, divideUp, divideHalfEven])
      expect(() => divide(1n, divisor)).toThrow('division by zero');
  });
});
