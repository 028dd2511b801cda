import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  buildEmvco,
  type EmvcoCode,
  findAccount,
  looksLikeEmvco,
  parseEmvco,
} from '../../../connectors/emvco/emvco.codec.js';
import { crcOf } from '../../../connectors/emvco/emvco.crc.js';
import { EmvcoError } from '../../../connectors/emvco/emvco.errors.js';

/** A published sample: dynamic, UnionPay account, Phnom Penh, 10.00 USD. */
const SAMPLE =
  '00020101021252044131153137210116372101160123456789ABCDE6010Phnom Penh5913Merchant Shop5802KH540510.005303840622501081234567802090124444446304A0BA';

const STATIC: EmvcoCode = {
  initiation: 'STATIC',
  primitiveAccounts: new Map(),
  accounts: new Map([
    [
      '26',
      new Map([
        ['00', 'com.tenpay.wechatpay'],
        ['01', '1900000109'],
        ['02', 'cod_cn_1'],
      ]),
    ],
  ]),
  categoryCode: '5812',
  currencyNumeric: '156',
  amount: null,
  countryCode: 'CN',
  merchantName: 'Jade Garden Noodles',
  city: 'Chengdu',
  postalCode: null,
  additional: new Map(),
  localized: { language: 'zh', name: '翡翠园面馆', city: '成都' },
  others: new Map(),
};

describe('parseEmvco', () => {
  it('reads every field of a published sample', () => {
    const code = parseEmvco(SAMPLE);
    expect(code).toMatchObject({
      initiation: 'DYNAMIC',
      categoryCode: '4131',
      currencyNumeric: '840',
      amount: '10.00',
      countryCode: 'KH',
      merchantName: 'Merchant Shop',
      city: 'Phnom Penh',
      postalCode: null,
      localized: null,
    });
    expect(code.primitiveAccounts.get('15')).toBe('37210116372101160123456789ABCDE');
    expect(Object.fromEntries(code.additional)).toEqual({ '01': '12345678', '02': '012444444' });
  });

  it('takes the checksum in small letters too', () => {
    expect(parseEmvco(`${SAMPLE.slice(0, -4)}a0ba`)).toEqual(parseEmvco(SAMPLE));
  });

  it.each(['0', '9'])('tells an altered amount by its checksum (digit %s)', (digit) => {
    const altered = SAMPLE.replace('540510.00', `54051${digit === '0' ? '1' : digit}.00`);
    expect(reasonOf(altered)).toBe('BAD_CRC');
  });

  it('tells any altered character of the text: it is either malformed or has a bad checksum', () => {
    fc.assert(
      fc.property(fc.nat(SAMPLE.length - 5), fc.constantFrom(...'0123456789ABCxyz'), (at, replacement) => {
        fc.pre(SAMPLE[at] !== replacement);
        expect(['MALFORMED', 'BAD_CRC']).toContain(reasonOf(SAMPLE.slice(0, at) + replacement + SAMPLE.slice(at + 1)));
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a WeChat Pay order code', 'weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00'],
    ['a payload without its first field', withCrc(body(SAMPLE).slice(6))],
    ['another payload format', withCrc(body(SAMPLE).replace('000201', '000202'))],
    ['a cut off payload', SAMPLE.slice(0, 60)],
    ['a checksum that does not come last', `${SAMPLE}6104AAAA`],
    ['no checksum', body(SAMPLE)],
    ['a checksum of another length', `${body(SAMPLE)}6302A0`],
    ['an empty field', withCrc(`${body(SAMPLE)}6100`)],
    ['a length in letters', withCrc(`${body(SAMPLE)}61xxAA`)],
    ['a field that stands twice', withCrc(`${body(SAMPLE)}540510.00`)],
    ['a negative amount', withCrc(body(SAMPLE).replace('540510.00', '5405-1.00'))],
    ['an amount with an exponent', withCrc(body(SAMPLE).replace('540510.00', '54051e100'))],
    ['a currency in letters', withCrc(body(SAMPLE).replace('5303840', '5303USD'))],
    ['a country in small letters', withCrc(body(SAMPLE).replace('5802KH', '5802kh'))],
    ['an unknown point of initiation', withCrc(body(SAMPLE).replace('010212', '010213'))],
    ['no merchant account', withCrc(body(SAMPLE).replace('153137210116372101160123456789ABCDE', ''))],
    ['no merchant name', withCrc(body(SAMPLE).replace('5913Merchant Shop', ''))],
    ['a template that names no network', withCrc(body(SAMPLE).replace('5204', '26060102AB5204'))],
    ['a template that is cut off inside', withCrc(body(SAMPLE).replace('5204', '26060012AB5204'))],
    ['half a character', withCrc(body(SAMPLE).replace('Shop', 'Sho\ud83c'))],
  ])('refuses %s as malformed', (_what, text) => {
    expect(reasonOf(text)).toBe('MALFORMED');
  });

  it('never throws anything but its own error, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.string().map((tail) => `000201${tail}`),
        ),
        (text) => {
          try {
            parseEmvco(text);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(EmvcoError);
          }
        },
      ),
    );
  });
});

describe('buildEmvco', () => {
  it('writes what parseEmvco reads back, checksum included', () => {
    const text = buildEmvco(STATIC);
    expect(text.startsWith('00020101021126')).toBe(true);
    expect(text.slice(-4)).toBe(crcOf(text.slice(0, -4)));
    expect(parseEmvco(text)).toEqual(STATIC);
  });

  it('counts a length in characters, not in bytes', () => {
    expect(buildEmvco(STATIC)).toContain('0105翡翠园面馆0202成都');
    expect(buildEmvco({ ...STATIC, merchantName: '麵🍜' })).toContain('5902麵🍜');
  });

  it('round-trips every code that keeps the rules', () => {
    fc.assert(fc.property(code(), (original) => expect(parseEmvco(buildEmvco(original))).toEqual(original)));
  });

  it('cuts a name and a city at the length of the scheme, at a character', () => {
    const code = parseEmvco(
      buildEmvco({ ...STATIC, merchantName: '🍜'.repeat(30), city: 'Shuangliu-Airport-District' }),
    );
    expect(code.merchantName).toBe('🍜'.repeat(25));
    expect(code.city).toBe('Shuangliu-Airpo');
  });

  it.each<[string, Partial<EmvcoCode>]>([
    ['an empty name', { merchantName: '' }],
    ['an amount in words', { amount: 'ten' }],
    ['an amount of more than 13 characters', { amount: '12345678901.00' }],
    ['an alphabetic currency', { currencyNumeric: 'CNY' }],
    ['an account of more than 99 characters', { primitiveAccounts: new Map([['15', 'x'.repeat(100)]]) }],
    ['an id that is not two digits', { others: new Map([['8', 'x']]) }],
  ])('refuses %s rather than write a code nobody can read', (_what, change) => {
    expect(() => buildEmvco({ ...STATIC, ...change })).toThrow(EmvcoError);
  });
});

describe('findAccount', () => {
  it('finds the template of a network by its globally unique id, without regard to case', () => {
    expect(findAccount(STATIC, 'COM.TENPAY.WECHATPAY')?.get('01')).toBe('1900000109');
    expect(findAccount(STATIC, 'com.alipay')).toBeNull();
  });
});

describe('looksLikeEmvco', () => {
  it('goes by the payload format indicator', () => {
    expect(looksLikeEmvco(SAMPLE)).toBe(true);
    expect(looksLikeEmvco('wxp://f2f0abc')).toBe(false);
  });
});

function body(text: string): string {
  return text.slice(0, -8);
}

function withCrc(text: string): string {
  return `${text}6304${crcOf(`${text}6304`)}`;
}

function reasonOf(text: string): string | null {
  try {
    parseEmvco(text);
    return null;
  } catch (thrown) {
    if (thrown instanceof EmvcoError) return thrown.reason;
    throw thrown;
  }
}

function digits(length: number): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((all) => all.join(''));
}

function text(maxLength: number): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .map((long) => Array.from(long).slice(0, maxLength).join(''));
}

function fields(first: number, last: number, length: number): fc.Arbitrary<ReadonlyMap<string, string>> {
  const id = fc.integer({ min: first, max: last }).map((number) => String(number).padStart(2, '0'));
  return fc
    .array(fc.tuple(id, text(length)), { maxLength: 3 })
    .map((pairs) => new Map(pairs.sort(([a], [b]) => Number(a) - Number(b))));
}

function code(): fc.Arbitrary<EmvcoCode> {
  const account = fc.tuple(text(20), fields(1, 9, 20)).map(([network, rest]) => new Map([['00', network], ...rest]));
  return fc.record({
    initiation: fc.constantFrom('STATIC' as const, 'DYNAMIC' as const, null),
    primitiveAccounts: fields(2, 25, 99),
    accounts: fc
      .dictionary(fc.integer({ min: 26, max: 51 }).map(String), account, { minKeys: 1, maxKeys: 3 })
      .map((templates) => new Map(Object.entries(templates))),
    categoryCode: digits(4),
    currencyNumeric: digits(3),
    amount: fc.option(fc.tuple(fc.nat(9_999_999), digits(2)).map(([whole, fraction]) => `${whole}.${fraction}`)),
    countryCode: fc.constantFrom('CN', 'US', 'KH'),
    merchantName: text(25),
    city: text(15),
    postalCode: fc.option(text(10)),
    additional: fields(1, 9, 9),
    localized: fc.option(fc.record({ language: fc.constant('zh'), name: text(25), city: fc.option(text(15)) })),
    others: fields(65, 99, 30),
  });
}

describe('A control character', () => {
  it.each(['\u0000', '\n', '\u007f', '\u0085'])('makes a code MALFORMED, whatever its checksum: %j', (character) => {
    const text = buildEmvco({ ...STATIC, merchantName: `Jade${character}Garden` });
    expect(() => parseEmvco(text)).toThrow(expect.objectContaining({ reason: 'MALFORMED' }));
  });
});
