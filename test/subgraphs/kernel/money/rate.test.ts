import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { currencies, decimalsOf } from '../../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { Rate } from '../../../../subgraphs/kernel/money/rate.js';

const anyCurrency = fc.constantFrom(...currencies);
const positive = fc.bigInt({ min: 1n, max: 10n ** 12n });
const anyRate = fc
  .tuple(anyCurrency, anyCurrency, positive, positive)
  .map(([base, quote, numerator, denominator]) => Rate.of(base, quote, numerator, denominator));

describe('Rate', () => {
  it('reads a decimal exactly and prints it again', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 17n }), fc.integer({ min: 0, max: 17 }), (digits, places) => {
        const text = digits.toString().padStart(places + 1, '0');
        const decimal = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
        const rate = Rate.parse(decimal, 'USD', 'CNY');
        expect(rate.numerator * 10n ** BigInt(places)).toBe(digits * rate.denominator);
        expect(rate.toDecimal(places)).toBe(decimal);
      }),
    );
  });

  it.each(['', '-1', '0', '0.0', '1e3', '.5', '1.', 'NaN', '1,5', ' 1'])('is never %j', (text) => {
    expect(() => Rate.parse(text, 'USD', 'CNY')).toThrow(/a rate is/);
  });

  it.each([
    [0n, 1n],
    [-1n, 1n],
    [1n, 0n],
    [1n, -1n],
    [-1n, -1n],
  ])('is never %s/%s: it is more than zero, and no fraction of less', (numerator, denominator) => {
    expect(() => Rate.of('USD', 'CNY', numerator, denominator)).toThrow('a rate is more than zero');
  });

  it('equals only the same fraction of the same pair', () => {
    const rate = Rate.of('USD', 'CNY', 7n, 2n);
    const others = [
      Rate.of('EUR', 'CNY', 7n, 2n),
      Rate.of('USD', 'EUR', 7n, 2n),
      Rate.of('USD', 'CNY', 9n, 2n),
      Rate.of('USD', 'CNY', 7n, 3n),
    ];
    expect(others.map((other) => rate.equals(other))).toEqual([false, false, false, false]);
    expect(rate.equals(Rate.of('USD', 'CNY', 7n, 2n))).toBe(true);
  });

  it('is in lowest terms, so that equal rates are equal', () => {
    expect(Rate.of('USD', 'CNY', 72n, 10n).equals(Rate.parse('7.20', 'USD', 'CNY'))).toBe(true);
    fc.assert(fc.property(anyRate, (rate) => expect(rate.inverse().inverse().equals(rate)).toBe(true)));
  });

  it('crosses exactly: there and back again is one', () => {
    fc.assert(
      fc.property(anyRate, (rate) => {
        const one = rate.crossedWith(rate.inverse());
        expect([one.base, one.quote, one.numerator, one.denominator]).toEqual([rate.base, rate.base, 1n, 1n]);
      }),
    );
    const usdCny = Rate.parse('1.1618', 'EUR', 'USD')
      .inverse()
      .crossedWith(Rate.parse('8.0177', 'EUR', 'CNY'));
    expect([usdCny.base, usdCny.quote, usdCny.toDecimal(8)]).toEqual(['USD', 'CNY', '6.90110174']);
    expect(() => Rate.of('USD', 'CNY', 1n, 1n).crossedWith(Rate.of('EUR', 'USD', 1n, 1n))).toThrow('does not lead to');
  });

  it('can be returned from an async function: it is no promise', async () => {
    const rate = Rate.of('USD', 'CNY', 72n, 10n);
    expect(await rate).toBe(rate);
  });

  it('converts up and down to the neighbours of the exact amount', () => {
    fc.assert(
      fc.property(anyRate, fc.bigInt({ min: 0n, max: 10n ** 15n }), (rate, minor) => {
        const money = Money.of(minor, rate.base);
        const [up, down] = [rate.convertUp(money), rate.convertDown(money)];
        const exactTimes = minor * rate.numerator * 10n ** BigInt(decimalsOf(rate.quote));
        const divisor = rate.denominator * 10n ** BigInt(decimalsOf(rate.base));
        expect(up.currency).toBe(rate.quote);
        expect(down.minor * divisor <= exactTimes && exactTimes <= up.minor * divisor).toBe(true);
        expect(up.minor - down.minor).toBe(exactTimes % divisor === 0n ? 0n : 1n);
      }),
    );
  });

  it('converts only its own base currency', () => {
    expect(() => Rate.of('USD', 'CNY', 7n, 1n).convertUp(Money.of(1n, 'CNY'))).toThrow('CNY used as USD');
  });

  it('gives the customer less by exactly the spread', () => {
    expect(Rate.parse('7.2', 'USD', 'CNY').lessPartsPerMillion(15_000n).toDecimal(4)).toBe('7.0920');
    fc.assert(
      fc.property(anyRate, fc.bigInt({ min: 0n, max: 999_999n }), (rate, spread) => {
        const less = rate.lessPartsPerMillion(spread);
        expect(less.numerator * rate.denominator * 1_000_000n).toBe(
          rate.numerator * less.denominator * (1_000_000n - spread),
        );
      }),
    );
    for (const spread of [-1n, 1_000_000n])
      expect(() => Rate.of('USD', 'CNY', 7n, 1n).lessPartsPerMillion(spread)).toThrow('a spread is');
  });
});
