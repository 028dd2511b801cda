import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Currency,
  currencies,
  currencyOf,
  currencyOfNumeric,
  decimalsOf,
  isCurrency,
  numericOf,
} from '../../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';

const anyCurrency = fc.constantFrom(...currencies);
const MOST = 10n ** 15n;
const minor = fc.bigInt({ min: -MOST, max: MOST });
const invalid = expect.objectContaining({ code: 'INVALID_MONEY', kind: 'Invalid' });

describe('Currency', () => {
  it('has one numeric code each, and is found by it', () => {
    for (const currency of currencies) expect(currencyOfNumeric(numericOf(currency))).toBe(currency);
    expect(new Set(currencies.map(numericOf)).size).toBe(currencies.length);
    expect(currencyOfNumeric('000')).toBeNull();
  });

  it.each([
    ['USD', '840', 2],
    ['CNY', '156', 2],
    ['JPY', '392', 0],
    ['KWD', '414', 3],
  ] as const)('%s is %s with %s decimals', (code, numeric, decimals) => {
    expect(numericOf(code)).toBe(numeric);
    expect(decimalsOf(code)).toBe(decimals);
  });

  it.each(['usd', 'ABC', '', 'US', 'USDD', 'toString', '__proto__', 'constructor'])('is not %j', (code) => {
    expect(isCurrency(code)).toBe(false);
    expect(() => currencyOf(code)).toThrow(invalid);
  });

  it('is refused with the first letters of what was said instead, however long that was', () => {
    const refusal = { message: 'This is not a currency that we know.', details: { currency: 'DOLLARS ' } };
    expect(() => currencyOf('DOLLARS OF THE US')).toThrow(expect.objectContaining(refusal));
  });
});

describe('Money', () => {
  it('prints exactly the decimals of its currency, and reads them back', () => {
    fc.assert(
      fc.property(minor, anyCurrency, (amount, currency) => {
        const money = Money.of(amount, currency);
        const text = money.toDecimal();
        expect(text).toMatch(
          decimalsOf(currency) === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${decimalsOf(currency)}}$`),
        );
        expect(Money.parse(text, currency).equals(money)).toBe(true);
      }),
    );
  });

  it.each([
    ['12.5', 'USD', 1250n],
    ['12', 'USD', 1200n],
    ['-0.05', 'EUR', -5n],
    ['007.10', 'CNY', 710n],
    ['1200', 'JPY', 1200n],
    ['1.234', 'KWD', 1234n],
    ['10000000000000.00', 'USD', MOST],
    ['-10000000000000.00', 'USD', -MOST],
    [`${'0'.repeat(17)}1`, 'JPY', 1n],
  ] as const)('reads %s %s', (text, currency, expected) => {
    expect(Money.parse(text, currency).minor).toBe(expected);
  });

  it.each([
    ['1.001', 'USD'],
    ['1.0', 'JPY'],
    ['1.2345', 'KWD'],
    ['', 'USD'],
    ['.5', 'USD'],
    ['5.', 'USD'],
    ['+5', 'USD'],
    ['1e3', 'USD'],
    ['1,000.00', 'USD'],
    [' 1', 'USD'],
    ['0x10', 'USD'],
    ['١٢', 'USD'],
    ['NaN', 'USD'],
    ['Infinity', 'USD'],
    ['10000000000000.01', 'USD'],
    ['-10000000000000.01', 'USD'],
    ['9'.repeat(60), 'USD'],
    ['1.00', 'ABC'],
  ])('refuses %j %s', (text, currency) => {
    expect(() => Money.parse(text, currency)).toThrow(invalid);
  });

  it.each([
    ['9'.repeat(19), 'too large'],
    ['9'.repeat(100_000), 'too large'],
    ['-10000000000000.01', 'too large'],
    [`${'0'.repeat(18)}1`, 'too large'],
    ['1.0000000', 'USD has 2 decimals'],
    [`1.${'0'.repeat(100_000)}`, 'USD has 2 decimals'],
    ['ten', 'not a decimal amount'],
  ])('says what is wrong, however long the text is', (text, message) => {
    const refusal = { message: expect.stringContaining(message), details: { currency: 'USD' } };
    expect(() => Money.parse(text, 'USD')).toThrow(expect.objectContaining(refusal));
  });

  it('is more than zero where someone pays or gets it', () => {
    expect(Money.parsePositive('0.01', 'USD').minor).toBe(1n);
    for (const text of ['0', '0.00', '-0', '-0.01']) expect(() => Money.parsePositive(text, 'USD')).toThrow(invalid);
    expect(() => Money.parsePositive('0', 'USD')).toThrow('The amount must be more than zero.');
  });

  it('adds and subtracts exactly, and never mixes currencies', () => {
    fc.assert(
      fc.property(minor, minor, anyCurrency, (a, b, currency) => {
        const [one, two] = [Money.of(a, currency), Money.of(b, currency)];
        expect(one.plus(two).minor).toBe(a + b);
        expect(one.plus(two).minus(two).equals(one)).toBe(true);
        expect(one.isMoreThan(two)).toBe(a > b);
      }),
    );
    const [usd, cny] = [Money.of(1n, 'USD'), Money.of(1n, 'CNY')];
    expect([usd.equals(cny), usd.equals(Money.of(2n, 'USD')), usd.isMoreThan(usd)]).toEqual([false, false, false]);
    for (const mix of [() => usd.plus(cny), () => usd.minus(cny), () => usd.isMoreThan(cny)])
      expect(mix).toThrow('CNY used as USD');
  });

  it('knows zero and positive', () => {
    expect([-1n, 0n, 1n].map((amount) => Money.of(amount, 'USD').isZero())).toEqual([false, true, false]);
    expect(String(Money.zero('USD'))).toBe('0.00 USD');
    expect(String(Money.zero('JPY'))).toBe('0 JPY');
    expect([-1n, 0n, 1n].map((amount) => Money.of(amount, 'USD').isPositive())).toEqual([false, false, true]);
    expect(String(Money.of(-5n, 'EUR'))).toBe('-0.05 EUR');
  });

  it('gives shares of which the cumulative ones sum up to the whole, whatever the steps (M9)', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: MOST }),
        fc.array(fc.bigInt({ min: 1n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 }),
        (total, parts) => {
          const whole = parts.reduce((sum, part) => sum + part, 0n);
          const money = Money.of(total, 'USD');
          let [before, cumulative, given] = [0n, 0n, Money.zero('USD')];
          for (const part of parts) {
            cumulative += part;
            const step = money.share(cumulative, whole).minus(money.share(before, whole));
            expect(step.minor >= 0n).toBe(true);
            given = given.plus(step);
            before = cumulative;
          }
          expect(given.equals(money)).toBe(true);
        },
      ),
    );
  });

  it('takes a share of which the house loses no fraction: rounded up, where the other rounds to even', () => {
    const shares = [1n, 2n, 3n, 4n].map((part) => Money.of(5n, 'USD').shareUp(part, 4n).minor);
    expect(shares).toEqual([2n, 3n, 4n, 5n]);
    expect(Money.of(5n, 'USD').share(2n, 4n).minor).toBe(2n);
  });

  it('is the currency of its type', () => {
    const currency: Currency = Money.of(1n, 'THB').currency;
    expect(currency).toBe('THB');
  });
});
