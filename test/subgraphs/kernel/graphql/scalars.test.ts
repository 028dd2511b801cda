import { describe, expect, it } from '@jest/globals';
import { type GraphQLScalarType, Kind } from 'graphql';
import { formatMoney, MoneyType } from '../../../../subgraphs/kernel/graphql/money.type.js';
import {
  CountryCodeScalar,
  CurrencyCodeScalar,
  DateScalar,
  DateTimeScalar,
  DecimalScalar,
} from '../../../../subgraphs/kernel/graphql/scalars.js';
import { currencies, decimalsOf } from '../../../../subgraphs/kernel/money/currency.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';

const badInput = expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } });

function refuses(scalar: GraphQLScalarType, value: unknown): void {
  expect(() => scalar.parseValue(value)).toThrow(badInput);
  if (typeof value === 'string') expect(() => scalar.parseLiteral({ kind: Kind.STRING, value })).toThrow(badInput);
}

describe('scalars', () => {
  it.each([
    [DecimalScalar, '12.50'],
    [CurrencyCodeScalar, 'USD'],
    [CountryCodeScalar, 'CN'],
    [DateScalar, '2024-02-29'],
  ] as const)('%s takes and gives %j unchanged', (scalar, value) => {
    expect(scalar.parseValue(value)).toBe(value);
    expect(scalar.parseLiteral({ kind: Kind.STRING, value })).toBe(value);
    expect(scalar.serialize(value)).toBe(value);
  });

  it('take no number where an exact value is meant', () => {
    for (const scalar of [DecimalScalar, CurrencyCodeScalar, CountryCodeScalar, DateScalar, DateTimeScalar]) {
      for (const value of [12.5, 12, null, true, {}, []]) refuses(scalar, value);
      expect(() => scalar.parseLiteral({ kind: Kind.FLOAT, value: '12.5' })).toThrow(badInput);
    }
  });

  it.each(['cn', 'CHN', '', 'C1'])('are no country %j', (value) => refuses(CountryCodeScalar, value));
  it.each(['2026-02-29', '2026-1-1', '2026-13-01', '0000-01-01', '20260101', '2026-01-01T00:00:00Z', ''])(
    'are no day %j',
    (value) => refuses(DateScalar, value),
  );
  it.each(['2026-01-01', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00', '2026-13-01T00:00:00Z', '1767225600'])(
    'are no moment %j',
    (value) => refuses(DateTimeScalar, value),
  );
  it('take a decimal of any length: what is wrong with it is said with a code of its own', () => {
    expect(DecimalScalar.parseValue('9'.repeat(1_000))).toHaveLength(1_000);
    refuses(CurrencyCodeScalar, 'X'.repeat(9));
  });

  it('write moments in UTC, read from any zone', () => {
    const noon = new Date('2026-06-01T12:00:00Z');
    expect(DateTimeScalar.serialize(noon)).toBe('2026-06-01T12:00:00.000Z');
    expect(DateTimeScalar.serialize('2026-06-01T14:00:00+02:00')).toBe('2026-06-01T12:00:00.000Z');
    expect(DateTimeScalar.parseValue('2026-06-01T14:00:00.000+02:00')).toEqual(noon);
    expect(DateTimeScalar.parseLiteral({ kind: Kind.STRING, value: '2026-06-01T12:00:00Z' })).toEqual(noon);
    for (const value of ['yesterday', 5, null]) expect(() => DateTimeScalar.serialize(value)).toThrow('not a DateTime');
  });
});

describe('Money.formatted', () => {
  it.each([
    ['1234.50', 'USD', 'en-US', '$1,234.50'],
    ['1234.50', 'USD', 'de-DE', '1.234,50\u00a0$'],
    ['-0.05', 'EUR', 'en-US', '-€0.05'],
    ['100', 'CNY', 'zh-CN', '¥100.00'],
    ['1200', 'JPY', 'ja-JP', '￥1,200'],
    ['1.234', 'KWD', 'en-US', 'KWD\u00a01.234'],
    ['10000000000000.00', 'USD', 'en-US', '$10,000,000,000,000.00'],
    ['9999999999999.99', 'USD', 'en-US', '$9,999,999,999,999.99'],
  ] as const)('writes %s %s for %s as %s, exactly', (amount, currency, locale, expected) => {
    const money = Money.parse(amount, currency);
    expect(formatMoney(money, locale)).toBe(expected);
    expect(MoneyType.of(money).formatted(locale)).toBe(expected);
  });

  it.each(['xx-invalid-locale-name', '', 'not a locale', '\u0000', 'zz'])(
    'writes English for the locale %j',
    (locale) => {
      expect(formatMoney(Money.of(100n, 'USD'), locale)).toBe('$1.00');
    },
  );

  it('takes null for no wish, as its nullable argument promises', () => {
    expect(MoneyType.of(Money.of(100n, 'USD')).formatted(null)).toBe('$1.00');
  });

  it('has the digits of every currency, however many locales are asked for', () => {
    for (const currency of currencies) {
      const digits = formatMoney(Money.of(123_456n, currency)).replace(/[^\d.]/g, '');
      expect(digits).toBe((123_456 / 10 ** decimalsOf(currency)).toFixed(decimalsOf(currency)));
    }
    for (let n = 0; n < 700; n += 1) expect(formatMoney(Money.of(1n, 'USD'), `en-x-a${n}`)).toBe('$0.01');
  });
});
