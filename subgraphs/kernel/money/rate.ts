import { invariant } from '../error.js';
import { type Currency, decimalsOf } from './currency.js';
import { divideDown, divideHalfEven, divideUp } from './division.js';
import { Money } from './money.js';

const DECIMAL = /^\d{1,18}(?:\.\d{1,18})?$/;

/** What one unit of `base` costs in `quote`, as an exact fraction of major units: USD/CNY 7.2 is 72/10. */
export class Rate {
  private constructor(
    readonly base: Currency,
    readonly quote: Currency,
    readonly numerator: bigint,
    readonly denominator: bigint,
  ) {}

  static of(base: Currency, quote: Currency, numerator: bigint, denominator: bigint): Rate {
    invariant(numerator > 0n && denominator > 0n, 'a rate is more than zero');
    const divisor = greatestCommonDivisor(numerator, denominator);
    return new Rate(base, quote, numerator / divisor, denominator / divisor);
  }

  /** Reads a decimal such as `"7.2000"`, exactly. Throws InvariantViolation on anything else: edges validate first. */
  static parse(decimal: string, base: Currency, quote: Currency): Rate {
    invariant(DECIMAL.test(decimal), 'a rate is a positive decimal');
    const [whole = '', fraction = ''] = decimal.split('.');
    return Rate.of(base, quote, BigInt(whole + fraction), 10n ** BigInt(fraction.length));
  }

  inverse(): Rate {
    return Rate.of(this.quote, this.base, this.denominator, this.numerator);
  }

  /** Crosses two rates exactly: EUR/USD inverted, then EUR/CNY, gives USD/CNY. */
  crossedWith(next: Rate): Rate {
    invariant(this.quote === next.base, `${this.quote} does not lead to ${next.base}`);
    return Rate.of(this.base, next.quote, this.numerator * next.numerator, this.denominator * next.denominator);
  }

  /** This rate less a spread in basis points of basis points (1 % is 10,000): what the customer gets. */
  lessPartsPerMillion(spread: bigint): Rate {
    invariant(spread >= 0n && spread < 1_000_000n, 'a spread is between nothing and everything');
    return Rate.of(this.base, this.quote, this.numerator * (1_000_000n - spread), this.denominator * 1_000_000n);
  }

  /** `money` of the base currency in the quote currency, a fraction of a minor unit rounded up. */
  convertUp(money: Money): Money {
    const [dividend, divisor] = this.fractionOf(money);
    return Money.of(divideUp(dividend, divisor), this.quote);
  }

  /** The same, rounded down. */
  convertDown(money: Money): Money {
    const [dividend, divisor] = this.fractionOf(money);
    return Money.of(divideDown(dividend, divisor), this.quote);
  }

  /** The rate as a decimal with `decimals` places, half to even; for people, not for sums. */
  toDecimal(decimals: number): string {
    const scale = 10n ** BigInt(decimals);
    const digits = divideHalfEven(this.numerator * scale, this.denominator)
      .toString()
      .padStart(decimals + 1, '0');
    return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  }

  equals(other: Rate): boolean {
    return (
      this.base === other.base &&
      this.quote === other.quote &&
      this.numerator === other.numerator &&
      this.denominator === other.denominator
    );
  }

  private fractionOf(money: Money): [dividend: bigint, divisor: bigint] {
    invariant(money.currency === this.base, `${money.currency} used as ${this.base}`);
    const up = 10n ** BigInt(decimalsOf(this.quote));
    const down = 10n ** BigInt(decimalsOf(this.base));
    return [money.minor * this.numerator * up, this.denominator * down];
  }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y > 0n) [x, y] = [y, x % y];
  return x;
}
