import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { PricingRule } from '../../../../subgraphs/fx/quote/pricing-rule.entity.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { Rate } from '../../../../subgraphs/kernel/money/rate.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import { clockAt, type FxWorld, fxWorld, payments, stranger } from '../../../support/fx.js';

const QUOTE = `id midRate customerRate source asOf expiresAt
  sell { amount currencyCode } buy { amount currencyCode } mid { amount currencyCode }
  spread { amount currencyCode } fee { amount currencyCode }`;
const ISSUE = `mutation ($input: IssueQuoteInput!) { issueQuote(input: $input) { ${QUOTE} } }`;
const RESOLVE = `query ($keys: [_Any!]!) { _entities(representations: $keys) { ... on Quote { ${QUOTE} } } }`;

const corridor = { marketCode: 'US', provider: 'PAYPAL', network: 'WECHAT_PAY', sellCurrency: 'USD' };
const cny = (amount: string) => ({ ...corridor, buy: { amount, currencyCode: 'CNY' } });

function rule(terms: Partial<Pick<PricingRule, 'spreadPpm' | 'feeFixedMinor' | 'feePpm'>>): PricingRule {
  return Object.assign(new PricingRule(), { spreadPpm: 15_000, feeFixedMinor: 0n, feePpm: 0 }, terms);
}

describe('PricingRule', () => {
  it('prices CNY 100.00 at 7.2 with a spread of 1.5 % at 1389 + 22 = 1411 cents (Q1)', () => {
    const price = rule({}).price(Money.parse('100.00', 'CNY'), Rate.parse('7.2000', 'USD', 'CNY'));
    expect(price.mid.minor).toBe(1389n);
    expect(price.spread.minor).toBe(22n);
    expect(price.fee.minor).toBe(0n);
    expect(price.sell.toString()).toBe('14.11 USD');
    expect(price.customerRate.toDecimal(4)).toBe('7.0920');
  });

  it('charges a fixed fee and a share of what is exchanged, rounded up', () => {
    const price = rule({ feeFixedMinor: 30n, feePpm: 29_000 }).price(
      Money.parse('100', 'CNY'),
      Rate.parse('7.2', 'USD', 'CNY'),
    );
    // 2.9 % of 14.11 is 40.919 cents.
    expect(price.fee.minor).toBe(71n);
    expect(price.sell.minor).toBe(1411n + 71n);
  });

  const rates = fc.record({
    numerator: fc.bigInt({ min: 1n, max: 10n ** 9n }),
    denominator: fc.bigInt({ min: 1n, max: 10n ** 9n }),
  });
  const terms = fc.record({
    spreadPpm: fc.integer({ min: 0, max: 200_000 }),
    feeFixedMinor: fc.bigInt({ min: 0n, max: 10_000n }),
    feePpm: fc.integer({ min: 0, max: 200_000 }),
  });
  const buys = fc.bigInt({ min: 1n, max: 10n ** 7n });

  it('adds up to the last minor unit and never costs less than mid-market (Q1)', () => {
    fc.assert(
      fc.property(rates, terms, buys, ({ numerator, denominator }, termsOfRule, buyMinor) => {
        const midRate = Rate.of('USD', 'CNY', numerator, denominator);
        const buy = Money.of(buyMinor, 'CNY');
        fc.pre(midRate.inverse().convertUp(buy).minor < 10n ** 14n);
        const { mid, spread, fee, sell } = rule(termsOfRule).price(buy, midRate);
        expect(sell.minor).toBe(mid.minor + spread.minor + fee.minor);
        expect(spread.minor >= 0n && fee.minor >= termsOfRule.feeFixedMinor).toBe(true);
        // At mid-market, what the payer gives is worth at least what the merchant gets.
        expect(mid.minor * numerator >= buyMinor * denominator).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('rounds in the favour of the house by less than one minor unit (Q2)', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 0, max: 200_000 }),
        buys,
        ({ numerator, denominator }, spreadPpm, buyMinor) => {
          const midRate = Rate.of('USD', 'CNY', numerator, denominator);
          const buy = Money.of(buyMinor, 'CNY');
          fc.pre(midRate.inverse().convertUp(buy).minor < 10n ** 14n);
          const { mid, spread, customerRate } = rule({ spreadPpm }).price(buy, midRate);
          for (const [amount, rate] of [[mid, midRate] as const, [mid.plus(spread), customerRate] as const]) {
            const exact = buyMinor * rate.denominator;
            expect(amount.minor * rate.numerator >= exact).toBe(true);
            expect((amount.minor - 1n) * rate.numerator < exact).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('converts between currencies with different numbers of decimals', () => {
    const price = rule({ spreadPpm: 0 }).price(Money.parse('10.00', 'CNY'), Rate.parse('0.05', 'JPY', 'CNY'));
    expect(price.sell.toString()).toBe('200 JPY');
  });

  it('refuses a price that is larger than anything we take', () => {
    const huge = () => rule({}).price(Money.parse('9999999999999.99', 'CNY'), Rate.parse('0.001', 'USD', 'CNY'));
    expect(huge).toThrow(expect.objectContaining({ code: 'INVALID_MONEY' }));
  });
});

describe('issueQuote', () => {
  const clock = clockAt('2026-03-06T09:00:00Z');
  let world: FxWorld;

  beforeAll(async () => {
    world = await fxWorld({ source: 'reference', now: clock.now });
  });
  afterAll(() => world.close());

  const issue = async (input: object) => world.ask(payments, ISSUE, { input });
  const codeOf = async (input: object) => (await issue(input)).errors?.[0]?.extensions?.['code'];

  it('locks a price at the cross rate for five minutes', async () => {
    const { data, errors } = await issue(cny('100.00'));
    expect(errors).toBeUndefined();
    const quote = data?.['issueQuote'] as Record<string, unknown>;
    // 8.0177 / 1.1618 = 6.90110174…; 10000 / 6.90110… = 1449.044 and 10000 / (… × 0.985) = 1471.11 cents.
    expect(quote).toMatchObject({
      midRate: '6.90110174',
      customerRate: '6.79758521',
      source: 'ECB',
      asOf: '2026-03-05T15:00:00.000Z',
      expiresAt: '2026-03-06T09:05:00.000Z',
      buy: { amount: '100.00', currencyCode: 'CNY' },
      mid: { amount: '14.50', currencyCode: 'USD' },
      spread: { amount: '0.22', currencyCode: 'USD' },
      fee: { amount: '0.00', currencyCode: 'USD' },
      sell: { amount: '14.72', currencyCode: 'USD' },
    });
    expect(quote['id']).toMatch(/^quo_us_/);
  });

  it('gives the same quote to whoever is signed in and knows its id, also after it expired', async () => {
    const issued = (await issue(cny('8.88'))).data?.['issueQuote'] as { id: string };
    clock.move(3_600_000);
    const traveler = new Principal({ kind: 'TRAVELER', subject: newId('trv', 'us'), scopes: [], merchantIds: [] });
    const keys = [
      { __typename: 'Quote', id: issued.id },
      { __typename: 'Quote', id: newId('quo', 'us') },
    ];
    const { data } = await world.ask(traveler, RESOLVE, { keys });
    expect(data?.['_entities']).toEqual([issued, null]);
    clock.move(-3_600_000);
  });

  it('finds all quotes of a page with one statement', async () => {
    const statements: string[] = [];
    const counted = await fxWorld({ source: 'reference', now: clock.now, onStatement: (sql) => statements.push(sql) });
    for (const size of [1, 10]) {
      const keys = Array.from({ length: size }, () => ({ __typename: 'Quote', id: newId('quo', 'us') }));
      await counted.ask(payments, RESOLVE, { keys });
      statements.length = 0;
      await counted.ask(payments, RESOLVE, { keys });
      expect(statements).toEqual([expect.stringContaining(' where ')]);
    }
    await counted.close();
  });

  it('shows a quote to no stranger, and answers a foreign id with INVALID_ID', async () => {
    const keys = [{ __typename: 'Quote', id: newId('quo', 'us') }];
    expect((await world.ask(stranger, RESOLVE, { keys })).errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
    const foreign = [{ __typename: 'Quote', id: newId('pay', 'us') }];
    expect((await world.ask(payments, RESOLVE, { keys: foreign })).errors?.[0]?.extensions?.['code']).toBe(
      'INVALID_ID',
    );
  });

  it('is for payments only', async () => {
    const traveler = new Principal({ kind: 'TRAVELER', subject: newId('trv', 'us'), scopes: [], merchantIds: [] });
    for (const principal of [stranger, traveler]) {
      const { errors } = await world.ask(principal, ISSUE, { input: cny('1') });
      expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
    }
  });

  it.each(['0', '-1', '1.001', '1e3', '', 'abc', '99999999999999999'])('refuses the amount %j', async (amount) => {
    expect(await codeOf(cny(amount))).toBe('INVALID_MONEY');
  });

  it('refuses currencies that do not exist', async () => {
    expect(await codeOf({ ...corridor, buy: { amount: '1', currencyCode: 'ABC' } })).toBe('INVALID_MONEY');
    expect(await codeOf({ ...cny('1'), sellCurrency: 'ABC' })).toBe('INVALID_CURRENCY');
  });

  it('has no price for a corridor without a rule, and none at an old rate', async () => {
    expect(await codeOf({ ...cny('1'), sellCurrency: 'GBP' })).toBe('RATE_UNAVAILABLE');
    expect(await codeOf({ ...cny('1'), marketCode: 'GB' })).toBe('RATE_UNAVAILABLE');
    clock.move(5 * 86_400_000);
    expect(await codeOf(cny('1'))).toBe('RATE_UNAVAILABLE');
    clock.move(-5 * 86_400_000);
  });

  it('prices by the rule that is valid at that moment; two can never be (Q3)', async () => {
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    const insert = (from: string, sell = 'USD') =>
      client.query(
        `insert into pricing_rule
           (market_code, provider, network, sell_currency, buy_currency, spread_ppm, fee_fixed_minor, fee_ppm, valid_from)
           values ('US', 'PAYPAL', 'WECHAT_PAY', $2, 'CNY', 0, 100, 0, $1)`,
        [from, sell],
      );
    await expect(insert('2026-03-06T10:00:00Z')).rejects.toMatchObject({ constraint: 'pricing_rule_no_overlap' });
    await client.query(`update pricing_rule set valid_to = '2026-03-06T10:00:00Z'`);
    for (const sell of ['USD', 'GBP']) await insert('2026-03-06T10:00:00Z', sell);
    const pounds = { ...cny('100'), sellCurrency: 'GBP' };
    expect(await codeOf(pounds)).toBe('RATE_UNAVAILABLE');
    expect((await issue(cny('100'))).data?.['issueQuote']).toMatchObject({
      spread: { amount: '0.22' },
      fee: { amount: '0.00' },
    });
    clock.move(3_600_000);
    expect((await issue(cny('100'))).data?.['issueQuote']).toMatchObject({
      mid: { amount: '14.50' },
      spread: { amount: '0.00' },
      fee: { amount: '1.00' },
      sell: { amount: '15.50' },
    });
    expect(await codeOf(pounds)).toBeUndefined();
    await client.end();
  });

  it('never changes a quote, whoever asks the database (Q4)', async () => {
    await issue(cny('1'));
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    await expect(
      client.query('update quote set sell_minor = sell_minor + 1, fee_minor = fee_minor + 1'),
    ).rejects.toThrow('never changes');
    await expect(client.query('delete from quote')).rejects.toThrow('never changes');
    await client.end();
  });
});
