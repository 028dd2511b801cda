import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { composeServices } from '@theguild/federation-composition';
import fc from 'fast-check';
import { parse } from 'graphql';
import pg from 'pg';
import { fxConfiguration } from '../../../../subgraphs/fx/fx.configuration.js';
import { readReferenceRates } from '../../../../subgraphs/fx/rate/ecb.client.js';
import { readShippedRates } from '../../../../subgraphs/fx/rate/shipped-rates.js';
import { buildFxSchema } from '../../../../subgraphs/fx/schema.js';
import { createFx } from '../../../../subgraphs/fx/subgraph.js';
import type { Currency } from '../../../../subgraphs/kernel/money/currency.js';
import { Rate } from '../../../../subgraphs/kernel/money/rate.js';
import { PrincipalVerifier } from '../../../../subgraphs/kernel/principal.token.js';
import { freshDatabase } from '../../../support/database.js';
import { clockAt, type FxWorld, fxWorld, stranger } from '../../../support/fx.js';
import { silent } from '../../../support/logger.js';

const RATE = `query ($base: CurrencyCode!, $quote: CurrencyCode!) {
  exchangeRate(base: $base, quote: $quote) { base quote rate asOf source }
}`;
const HISTORY = `query ($base: CurrencyCode!, $quote: CurrencyCode!, $from: Date!, $to: Date!, $interval: RateInterval!) {
  exchangeRateHistory(base: $base, quote: $quote, from: $from, to: $to, interval: $interval) { date open high low close }
}`;

interface Candle {
  date: string;
  open: string;
  high: string;
  low: string;
  close: string;
}

const clock = clockAt('2026-03-06T09:00:00Z');
let world: FxWorld;

beforeAll(async () => {
  world = await fxWorld({ source: 'reference', now: clock.now });
});
afterAll(() => world.close());

const rateOf = (base: string, quote: string) => world.ask(stranger, RATE, { base, quote });
const codeOf = async (answer: ReturnType<FxWorld['ask']>) => (await answer).errors?.[0]?.extensions?.['code'];

async function historyOf(interval: string, from: string, to: string, pair = ['USD', 'CNY']): Promise<Candle[]> {
  const [base, quote] = pair;
  const { data, errors } = await world.ask(stranger, HISTORY, { base, quote, from, to, interval });
  expect(errors).toBeUndefined();
  return data?.['exchangeRateHistory'] as Candle[];
}

describe('exchangeRate', () => {
  it.each([
    ['EUR', 'USD', '1.1618'],
    ['USD', 'CNY', '6.90110174'],
    ['CNY', 'USD', '0.1449044'],
    ['EUR', 'EUR', '1'],
    ['USD', 'USD', '1'],
    ['IDR', 'JPY', '0.00931702'],
  ])(
    'of %s in %s is the exact cross of the newest reference rates, shown with eight decimals',
    async (base, quote, rate) => {
      const { data } = await rateOf(base, quote);
      expect(data?.['exchangeRate']).toEqual({ base, quote, rate, asOf: '2026-03-05T15:00:00.000Z', source: 'ECB' });
    },
  );

  it('knows only currencies', async () => {
    expect(await codeOf(rateOf('ABC', 'USD'))).toBe('INVALID_CURRENCY');
    expect(await codeOf(rateOf('USD', 'usd'))).toBe('INVALID_CURRENCY');
    expect(await codeOf(rateOf('USD', 'constructor'))).toBe('BAD_USER_INPUT');
    expect(await codeOf(rateOf('USD', '__proto_'))).toBe('INVALID_CURRENCY');
  });

  it('is unavailable for a pair that nobody publishes', async () => {
    expect(await codeOf(rateOf('USD', 'VND'))).toBe('RATE_UNAVAILABLE');
  });

  it('is unavailable as soon as the newest rate is older than the guard allows, never an old price (R1)', async () => {
    const fourDays = 4 * 86_400_000;
    const published = Date.parse('2026-03-05T15:00:00Z') - clock.now().getTime();
    clock.move(published + fourDays);
    expect((await rateOf('USD', 'CNY')).errors).toBeUndefined();
    clock.move(1);
    const { errors } = await rateOf('USD', 'CNY');
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'RATE_UNAVAILABLE',
      transient: true,
      details: { base: 'USD', quote: 'CNY' },
    });
    clock.move(-published - fourDays - 1);
  });

  it('is refused to a request without a principal, and to a forged one', async () => {
    await expect(world.fx.contextFor({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(world.fx.contextFor({ 'x-sojourn-principal': 'e30.e30.e30' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

describe('exchangeRateHistory', () => {
  let perDay: { day: string; rate: number }[];

  beforeAll(async () => {
    perDay = [];
    for await (const rates of readReferenceRates(bytes(await readShippedRates()))) {
      const of = (currency: Currency) => Number(rates.find((rate) => rate.currency === currency)?.perEuro);
      perDay.unshift({ day: rates[0]?.day ?? '', rate: of('CNY') / of('USD') });
    }
  });

  const within = (from: string, to: string) => perDay.filter(({ day }) => day >= from && day <= to);
  const keyOf = (interval: string, day: string): string => {
    if (interval === 'DAY') return day;
    if (interval === 'MONTH') return `${day.slice(0, 8)}01`;
    const date = new Date(`${day}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
    return date.toISOString().slice(0, 10);
  };

  it('sums up any time in any interval as counted by hand', async () => {
    const days = fc.integer({ min: 0, max: 2_300 }).map((offset) => {
      return new Date(Date.parse('2019-12-25') + offset * 86_400_000).toISOString().slice(0, 10);
    });
    await fc.assert(
      fc.asyncProperty(
        days,
        fc.integer({ min: 0, max: 900 }),
        fc.constantFrom('DAY', 'WEEK', 'MONTH'),
        async (from, length, interval) => {
          const to = new Date(Date.parse(from) + length * 86_400_000).toISOString().slice(0, 10);
          const expected = [...Map.groupBy(within(from, to), ({ day }) => keyOf(interval, day))].map(([date, rows]) => {
            const rates = rows.map(({ rate }) => rate);
            return { date, open: rates[0], high: Math.max(...rates), low: Math.min(...rates), close: rates.at(-1) };
          });
          const candles = await historyOf(interval, from, to);
          expect(candles.map(({ date }) => date)).toEqual(expected.map(({ date }) => date));
          for (const [index, candle] of candles.entries())
            for (const side of ['open', 'high', 'low', 'close'] as const)
              expect(Number(candle[side])).toBeCloseTo(expected[index]?.[side] ?? Number.NaN, 7);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('includes both ends, and shows eight decimals or fewer', async () => {
    const flat = (date: string, rate: string) => ({ date, open: rate, high: rate, low: rate, close: rate });
    // 8.0347 / 1.1649 and 8.0177 / 1.1618
    expect(await historyOf('DAY', '2026-03-04', '2026-03-05')).toEqual([
      flat('2026-03-04', '6.89733024'),
      flat('2026-03-05', '6.90110174'),
    ]);
    const [euro] = await historyOf('MONTH', '2026-03-05', '2026-03-31', ['EUR', 'USD']);
    expect(euro).toEqual({ date: '2026-03-01', open: '1.1618', high: '1.1618', low: '1.1618', close: '1.1618' });
  });

  it('is empty where nothing was published, such as on a weekend', async () => {
    expect(await historyOf('DAY', '2026-02-28', '2026-03-01')).toEqual([]);
    expect(await historyOf('MONTH', '1990-01-01', '1991-01-01')).toEqual([]);
  });

  it('refuses what is no range, too long, or no pair', async () => {
    const ask = (from: string, to: string, interval: string, quote = 'CNY') =>
      codeOf(world.ask(stranger, HISTORY, { base: 'USD', quote, from, to, interval }));
    expect(await ask('2026-01-02', '2026-01-01', 'DAY')).toBe('INVALID_RANGE');
    expect(await ask('2023-01-01', '2025-09-26', 'DAY')).toBeUndefined();
    expect(await ask('2023-01-01', '2025-09-27', 'DAY')).toBe('INVALID_RANGE');
    expect(await ask('2000-01-01', '2025-09-27', 'WEEK')).toBe('INVALID_RANGE');
    expect(await ask('0001-01-01', '9999-12-31', 'MONTH')).toBe('INVALID_RANGE');
    expect(await ask('2026-01-01', '2026-01-31', 'DAY', 'VND')).toBe('RATE_UNAVAILABLE');
    expect(await ask('2026-01-01', '2026-01-31', 'DAY', 'ABC')).toBe('INVALID_CURRENCY');
    expect(await ask('2026-02-30', '2026-03-01', 'DAY')).toBe('BAD_USER_INPUT');
    const why = async (from: string, interval: string) =>
      (await world.ask(stranger, HISTORY, { base: 'USD', quote: 'CNY', from, to: '2025-01-01', interval })).errors?.[0];
    expect(await why('2025-01-02', 'DAY')).toMatchObject({ message: '`from` is after `to`.' });
    expect(await why('0001-01-01', 'WEEK')).toMatchObject({
      message: 'Ask for a shorter time, or for longer intervals.',
      extensions: { details: { mostDays: 7_000 } },
    });
  });

  it('reads by index, not the whole table', async () => {
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    await client.query('analyze reference_rate');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain select day from reference_rate base join reference_rate quote using (day)
        where base.currency_code = 'USD' and quote.currency_code = 'CNY' and day between '2026-01-01' and '2026-01-31'`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('reference_rate_pkey');
    expect(plan).not.toContain('Seq Scan');
    await client.end();
  });
});

describe('ReferenceRateService', () => {
  const importing = (text: string) => world.fx.services.referenceRates.import([text]);

  it('has taken over the shipped file, once for all processes, and does not write it again', async () => {
    const url = await freshDatabase('fxcold');
    const statements: string[] = [];
    const options = {
      databaseUrl: url,
      verifier: new PrincipalVerifier({}),
      logger: silent,
      bus: world.bus,
      source: 'reference' as const,
      onStatement: (sql: string) => statements.push(sql),
    };
    const imports = () => statements.filter((sql) => sql.includes('insert into reference_rate')).length;
    const cold = await createFx(options);
    await cold.migrate();
    expect(imports()).toBe(1);
    const other = await createFx(options);
    await Promise.all([cold.migrate(), other.migrate()]);
    expect(imports()).toBe(1);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      'select count(*)::int as rates, count(distinct day)::int as days from reference_rate',
    );
    expect(rows).toEqual([{ rates: 1_583 * 24, days: 1_583 }]);
    await client.end();
    await Promise.all([cold.close(), other.close()]);
  });

  it('knows exactly the files that it has taken', async () => {
    const { referenceRates } = world.fx.services;
    const shipped = await readShippedRates();
    expect(await referenceRates.knows(shipped)).toBe(true);
    expect(await referenceRates.knows(shipped.subarray(1))).toBe(false);
  });

  it('says what one euro costs in each currency, on the newest day', async () => {
    const perEuro = await world.fx.services.referenceRates.perEuro();
    expect(perEuro.size).toBe(24);
    for (const [currency, decimal] of [
      ['EUR', '1'],
      ['USD', '1.1618'],
    ] as const)
      expect(perEuro.get(currency)).toEqual(Rate.parse(decimal, 'EUR', currency));
  });

  it('takes a day for which there is not one rate for none', async () => {
    expect(await importing('Date,USD,CNY,\n2020-03-06,N/A,N/A,\n2020-03-05,1.1,N/A,\n')).toBe(2);
    expect(await importing('Date,USD,CNY,\n2020-03-06,N/A,N/A,\n')).toBe(0);
  });

  it('takes a newer file, corrects what it corrects, and has no effect the second time', async () => {
    const file = 'Date,USD,CNY,\n2026-03-06,1.16,8.00,\n2026-03-05,1.1618,8.0178,\n';
    expect(await importing(file)).toBe(6);
    expect((await rateOf('EUR', 'CNY')).data?.['exchangeRate']).toMatchObject({
      rate: '8',
      asOf: '2026-03-06T15:00:00.000Z',
    });
    expect(await historyOf('DAY', '2026-03-05', '2026-03-05', ['EUR', 'CNY'])).toMatchObject([{ open: '8.0178' }]);
    expect(await importing(file)).toBe(0);
    expect(await importing(`${file}\n`)).toBe(6);
    expect((await rateOf('EUR', 'CNY')).data?.['exchangeRate']).toMatchObject({ rate: '8' });
    // A pair needs both sides on the same day.
    expect((await rateOf('EUR', 'GBP')).data?.['exchangeRate']).toMatchObject({ asOf: '2026-03-05T15:00:00.000Z' });
  });

  it('takes nothing of a file with one wrong line (R2)', async () => {
    await expect(importing('Date,USD\n2026-03-09,1.2\n2026-03-08,x\n')).rejects.toMatchObject({ details: { line: 3 } });
    expect((await rateOf('EUR', 'USD')).data?.['exchangeRate']).toMatchObject({ asOf: '2026-03-06T15:00:00.000Z' });
  });
});

describe('fx', () => {
  it('composes into a supergraph that hides what is for payments only', async () => {
    const { typeDefs } = await buildFxSchema();
    const other = parse('type Mutation { pay: Boolean }');
    const result = composeServices([
      { name: 'fx', url: 'http://fx', typeDefs },
      { name: 'other', url: 'http://other', typeDefs: other },
    ]);
    expect(result.errors).toBeUndefined();
    expect(result.publicSdl).toContain('exchangeRate(');
    expect(result.publicSdl).not.toContain('issueQuote');
    expect(result.publicSdl).not.toContain('IssueQuoteInput');
  });

  it('describes every type, field, argument and value', async () => {
    const { schema } = await buildFxSchema();
    const missing: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('_') || !('getFields' in type) || type.name === 'Query' || type.name === 'Mutation')
        continue;
      if (!type.description) missing.push(type.name);
      for (const field of Object.values(type.getFields()))
        if (!field.description) missing.push(`${type.name}.${field.name}`);
    }
    expect(missing).toEqual([]);
  });

  it('reads its environment, and names what is missing', () => {
    const base = { INTERNAL_PUBLIC_KEYS: '{"gateway":"x"}', DATABASE_URL: 'postgres://u@h/sojourn' };
    expect(fxConfiguration(base)).toEqual({
      host: '127.0.0.1',
      port: 4104,
      publicKeys: { gateway: 'x' },
      source: 'reference',
      tickMs: undefined,
      staleAfterMs: undefined,
      databaseUrl: 'postgres://u@h/sojourn_fx',
    });
    expect(fxConfiguration({ ...base, FX_RATE_SOURCE: 'simulated', FX_TICK_MS: '500' })).toMatchObject({
      source: 'simulated',
      tickMs: 500,
    });
    expect(() => fxConfiguration({ ...base, FX_RATE_SOURCE: 'guess' })).toThrow('FX_RATE_SOURCE');
    expect(() => fxConfiguration({ DATABASE_URL: base.DATABASE_URL })).toThrow('INTERNAL_PUBLIC_KEYS');
  });
});

async function* bytes(buffer: Buffer): AsyncGenerator<Buffer> {
  yield buffer;
}
