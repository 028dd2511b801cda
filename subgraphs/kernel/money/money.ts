import { InvalidError, invariant } from '../error.js';
import { type Currency, currencyOf, decimalsOf } from './currency.js';
import { divideHalfEven, divideUp } from './division.js';

/** The largest amount we take from anyone: far above any payment, far below what PostgreSQL's bigint holds. */
const MAX_MINOR = 10n ** 15n;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
// More digits than the largest amount has in any currency; leading zeros are nobody's need.
const MOST_DIGITS = 18;

/** An exact amount of one currency in its minor unit: `Money.of(1250n, 'EUR')` is €12.50. */
export class Money {
  private constructor(
    readonly minor: bigint,
    readonly currency: Currency,
  ) {}

  static of(minor: bigint, currency: Currency): Money {
    return new Money(minor, currency);
  }

  static zero(currency: Currency): Money {
    return new Money(0n, currency);
  }

  /**
   * Reads a decimal string such as `"12.50"`. More decimals than the currency has is an error, fewer are not.
   * @throws InvalidError INVALID_MONEY
   */
  static parse(amount: string, currencyCode: string): Money {
    const currency = currencyOf(currencyCode);
    const [, sign, whole, fraction = ''] = DECIMAL.exec(amount) ?? refuse('This is not a decimal amount.', currency);
    const decimals = decimalsOf(currency);
    if (fraction.length > decimals) refuse(`${currency} has ${decimals} decimals.`, currency);
    // Before it becomes a number: that takes ever longer with its length.
    if ((whole?.length ?? 0) > MOST_DIGITS) refuse('This amount is too large.', currency);
    const minor = BigInt(`${sign}${whole}${fraction.padEnd(decimals, '0')}`);
    if (minor > MAX_MINOR || minor < -MAX_MINOR) refuse('This amount is too large.', currency);
    return new Money(minor, currency);
  }

  /** Like `parse`, for amounts that someone pays or gets. @throws InvalidError INVALID_MONEY also for zero and less */
  static parsePositive(amount: string, currencyCode: string): Money {
    const money = Money.parse(amount, currencyCode);
    if (money.minor <= 0n) refuse('The amount must be more than zero.', money.currency);
    return money;
  }

  plus(other: Money): Money {
    return new Money(this.minor + this.minorOf(other), this.currency);
  }

  minus(other: Money): Money {
    return new Money(this.minor - this.minorOf(other), this.currency);
  }

  /** This amount × `part` / `whole`, rounded half to even: how refunds take their cumulative share. */
  share(part: bigint, whole: bigint): Money {
    return new Money(divideHalfEven(this.minor * part, whole), this.currency);
  }

  /** The same, rounded up: what the house takes. */
  shareUp(part: bigint, whole: bigint): Money {
    return new Money(divideUp(this.minor * part, whole), this.currency);
  }

  isZero(): boolean {
    return this.minor === 0n;
  }

  isPositive(): boolean {
    return this.minor > 0n;
  }

  isMoreThan(other: Money): boolean {
    return this.minor > this.minorOf(other);
  }

  equals(other: Money): boolean {
    return this.currency === other.currency && this.minor === other.minor;
  }

  /** The decimal string with exactly the currency's number of decimals: `"12.50"`, `"-0.05"`, `"1200"` for JPY. */
  toDecimal(): string {
    const decimals = decimalsOf(this.currency);
    const sign = this.minor < 0n ? '-' : '';
    const digits = (this.minor < 0n ? -this.minor : this.minor).toString().padStart(decimals + 1, '0');
    const whole = digits.slice(0, digits.length - decimals);
    return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-decimals)}`;
  }

  /** `"12.50 EUR"`, for logs and messages. */
  toString(): string {
    return `${this.toDecimal()} ${this.currency}`;
  }

  /** Mixing currencies is a programmer's mistake: only `fx` turns one currency into another. */
  private minorOf(other: Money): bigint {
    invariant(other.currency === this.currency, `${other.currency} used as ${this.currency}`);
    return other.minor;
  }
}

function refuse(message: string, currency: Currency): never {
  throw new InvalidError('INVALID_MONEY', message, { currency });
}
