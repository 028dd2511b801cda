import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readReferenceRates } from '../../../../subgraphs/fx/rate/ecb.client.js';
import type { ReferenceRate } from '../../../../subgraphs/fx/rate/market-rate.js';
import { readShippedRates } from '../../../../subgraphs/fx/rate/shipped-rates.js';
import { type Currency, currencies } from '../../../../subgraphs/kernel/money/currency.js';

async function read(...chunks: string[]): Promise<ReferenceRate[]> {
  const rates: ReferenceRate[] = [];
  for await (const day of readReferenceRates(chunksOf(chunks))) rates.push(...day);
  return rates;
}

async function* chunksOf(chunks: readonly string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe('readReferenceRates', () => {
  it('reads the layout of the ECB, with its trailing commas', async () => {
    expect(await read('Date,USD,CNY,\n2026-03-05,1.1618,8.0177,\n2026-03-04,1.1649,8.0347,\n')).toEqual([
      { day: '2026-03-05', currency: 'USD', perEuro: '1.1618' },
      { day: '2026-03-05', currency: 'CNY', perEuro: '8.0177' },
      { day: '2026-03-04', currency: 'USD', perEuro: '1.1649' },
      { day: '2026-03-04', currency: 'CNY', perEuro: '8.0347' },
    ]);
  });

  it('leaves out what was not published, and currencies that we do not know', async () => {
    expect(await read('Date,USD,CYP,JPY,ROL\n2026-03-05,N/A,0.58,183.03,\n')).toEqual([
      { day: '2026-03-05', currency: 'JPY', perEuro: '183.03' },
    ]);
  });

  it('takes other line ends, a byte order mark, spaces, empty lines, and a file without lost commas', async () => {
    expect(await read('\uFEFFDate, USD\r\n\r\n \r\n2026-03-05 , 1.1618\r\n2026-03-04,1.2')).toEqual([
      { day: '2026-03-05', currency: 'USD', perEuro: '1.1618' },
      { day: '2026-03-04', currency: 'USD', perEuro: '1.2' },
    ]);
  });

  it.each([
    ['', 1, 'it is empty'],
    ['Datum,USD\n', 1, 'it does not begin with Date'],
    ['Date\n', 1, 'it does not begin with Date'],
    ['Date,\n', 1, 'it does not begin with Date'],
    ['Date,USD,usd\n', 1, 'a column is not a currency'],
    ['Date,USDX\n', 1, 'a column is not a currency'],
    ['Date,XUSD\n', 1, 'a column is not a currency'],
    ['Date,USD,USD\n', 1, 'or is there twice'],
    ['<html>', 1, 'it does not begin with Date'],
    ['Date,USD\n2026-03-05,1.1\n05.03.2026,1.1\n', 3, 'it does not begin with a day'],
    ['Date,USD\n2026-02-30,1.1\n', 2, 'it does not begin with a day'],
    ['Date,USD\n2026-13-01,1.1\n', 2, 'it does not begin with a day'],
    ['Date,USD\n2026-03-05T,1.1\n', 2, 'it does not begin with a day'],
    ['Date,USD\n12026-03-05,1.1\n', 2, 'it does not begin with a day'],
    ['Date,USD\n2026-03-05,1.1\n2026-03-05,1.1\n', 3, 'its day is there twice'],
    ['Date,USD,CNY\n2026-03-05,1.1\n', 2, 'it has not 2 rates'],
    ['Date,USD\n2026-03-05,1.1,8.0\n', 2, 'it has not 1 rates'],
    ['Date,USD\n2026-03-05,1.1,,\n', 2, 'it has not 1 rates'],
    ['Date,USD\n2026-03-05,0\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,0.000\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,-1\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,1.\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,1e5\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,NaN\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,1234567890\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,1.1234567890\n', 2, 'its USD is not a rate'],
    ['Date,USD\n2026-03-05,"1,5"\n', 2, 'it has not 1 rates'],
    ["Date,USD\n2026-03-05,1.1\n2026-03-04,}'; drop table quote\n", 3, 'its USD is not a rate'],
  ])('names the line of %j that is wrong: %s, %s', async (text, line, why) => {
    const message = expect.stringContaining(why);
    await expect(read(text)).rejects.toMatchObject({ code: 'MALFORMED_RATES', details: { line }, message });
  });

  it('reads the same however the bytes are cut', async () => {
    const text = 'Date,USD,CNY,\n2026-03-05,1.1618,8.0177,\n2026-03-04,1.1649,N/A,\n';
    const whole = await read(text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: text.length })), async (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(await read(...places.slice(1).map((end, index) => text.slice(places[index], end)))).toEqual(whole);
      }),
    );
  });
});

describe('reference-rates.csv', () => {
  it('has at least five years of every currency of our markets and CNY, newest first, without a gap of two weeks', async () => {
    const days: string[] = [];
    const perCurrency = new Map<Currency, number>();
    for await (const rates of readReferenceRates(chunksOf([(await readShippedRates()).toString()]))) {
      days.push(rates[0]?.day ?? '');
      for (const { currency } of rates) perCurrency.set(currency, (perCurrency.get(currency) ?? 0) + 1);
    }
    expect(days).toEqual([...days].sort().reverse());
    expect(days.at(-1)).toBe('2020-01-02');
    const wanted = 'USD CNY GBP JPY CAD AUD SGD HKD CHF KRW THB MYR INR PHP IDR NZD SEK NOK DKK PLN'.split(' ');
    for (const currency of wanted)
      expect([currency, perCurrency.get(currency as Currency)]).toEqual([currency, days.length]);
    for (const [index, day] of days.entries()) {
      const before = days[index + 1];
      if (before) expect(Date.parse(day) - Date.parse(before)).toBeLessThan(14 * 86_400_000);
    }
  });

  it('names only currencies that we know', async () => {
    const [header = ''] = (await readShippedRates()).toString().split('\n');
    for (const code of header.split(',').slice(1, -1)) expect(currencies).toContain(code);
  });
});
