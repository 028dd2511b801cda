import { afterEach, describe, expect, it } from '@jest/globals';
import { PaypalRefusal, PaypalUnknown } from '../../../connectors/paypal/paypal.errors.js';
import { PaypalReportClient } from '../../../connectors/paypal/paypal.report.client.js';
import type { ReportedTransaction } from '../../../connectors/paypal/paypal.report.js';
import type { SimulatorOptions } from '../../../connectors/paypal/simulator/simulator.js';
import { after, DAY, HOUR, MINUTE } from '../../../subgraphs/kernel/clock.js';
import { Counterpart, closeEverything, configurationFor, later, refundOf, refusalOf, startRaw } from './counterpart.js';

afterEach(closeEverything);

const NOON = new Date('2026-06-01T12:00:00Z');
let now = NOON;

async function start(overrides: Partial<SimulatorOptions> = {}) {
  now = NOON;
  const counterpart = await Counterpart.start({ now: () => now, ...overrides });
  return { counterpart, reports: reportsOf(counterpart.url) };
}

function reportsOf(url: string): PaypalReportClient {
  const reports = new PaypalReportClient(configurationFor(url));
  later(() => reports.close());
  return reports;
}

async function allOf(reports: PaypalReportClient, from: Date, to: Date): Promise<ReportedTransaction[]> {
  const all: ReportedTransaction[] = [];
  for await (const transaction of reports.transactions({ from, to })) all.push(transaction);
  return all;
}

describe('PaypalReportClient', () => {
  it('reports captures with their fee, and refunds as transactions of their own', async () => {
    const { counterpart, reports } = await start();
    const part = await counterpart.capture('part', '14.11');
    const whole = await counterpart.capture('whole', '100.00');
    const { id: back } = await counterpart.client.refundCapture(refundOf('part', part, '5.00'));
    await counterpart.client.refundCapture(refundOf('whole', whole, '100.00'));
    await counterpart.authorization('held only');
    now = after(NOON, DAY);
    const found = await allOf(reports, NOON, after(NOON, HOUR));
    expect(found.map(({ kind, amount, fee, status }) => [kind, String(amount), fee && String(fee), status])).toEqual([
      ['PAYMENT', '14.11 USD', '-0.98 USD', 'SUCCEEDED'],
      ['PAYMENT', '100.00 USD', '-3.98 USD', 'REVERSED'],
      ['REFUND', '-5.00 USD', null, 'SUCCEEDED'],
      ['REFUND', '-100.00 USD', null, 'SUCCEEDED'],
    ]);
    expect(found[0]).toMatchObject({
      id: part,
      customId: 'pay_us_part',
      invoiceId: 'invoice-part',
      eventCode: 'T0006',
    });
    expect(found[2]).toMatchObject({ id: back, referenceId: part, invoiceId: 'refund-part', eventCode: 'T1107' });
    expect(found[0]?.initiatedAt).toEqual(NOON);
  });

  it('takes the begin of a window and leaves its end to the next one', async () => {
    const { counterpart, reports } = await start();
    const first = await counterpart.capture('first');
    now = after(NOON, HOUR);
    const second = await counterpart.capture('second');
    now = after(NOON, DAY);
    const ids = async (from: Date, to: Date) => (await allOf(reports, from, to)).map(({ id }) => id);
    expect(await ids(NOON, after(NOON, HOUR))).toEqual([first]);
    expect(await ids(after(NOON, HOUR), after(NOON, 2 * HOUR))).toEqual([second]);
  });

  it('halves the time as often as PayPal finds too much in it, and misses and doubles nothing', async () => {
    const { counterpart, reports } = await start({ mostReported: 2 });
    const captured: string[] = [];
    for (const minute of [0, 1, 2, 29, 30, 59]) {
      now = after(NOON, minute * MINUTE);
      captured.push(await counterpart.capture(`at ${minute}`));
    }
    now = after(NOON, DAY);
    const found = await allOf(reports, NOON, after(NOON, HOUR));
    expect(found.map(({ id }) => id)).toEqual(captured);
  });

  it('asks for longer times than PayPal answers for in parts', async () => {
    const { counterpart, reports } = await start();
    const first = await counterpart.capture('first');
    now = after(NOON, 40 * DAY);
    const second = await counterpart.capture('second');
    now = after(NOON, 90 * DAY);
    expect((await allOf(reports, NOON, after(NOON, 70 * DAY))).map(({ id }) => id)).toEqual([first, second]);
  });

  it('believes no report of a time that PayPal has not listed yet', async () => {
    const { counterpart, reports } = await start();
    await counterpart.capture('fresh');
    now = after(NOON, 2 * HOUR);
    const thrown = await refusalOf(allOf(reports, NOON, after(NOON, MINUTE)));
    expect(thrown).toBeInstanceOf(PaypalRefusal);
    expect(thrown).toMatchObject({ code: 'REPORT_NOT_READY', action: 'RETRY' });
    now = after(NOON, 4 * HOUR);
    expect(await allOf(reports, NOON, after(NOON, MINUTE))).toHaveLength(1);
  });

  it.each([
    ['without an end', 'start_date=2026-06-01T00:00:00Z', 'MISSING_REQUIRED_PARAMETER'],
    ['without seconds', 'start_date=2026-06-01&end_date=2026-06-02T00:00:00Z', 'INVALID_PARAMETER_SYNTAX'],
    [
      'of more than 31 days',
      'start_date=2026-05-01T00:00:00Z&end_date=2026-06-01T00:00:01Z',
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'that ends before it begins',
      'start_date=2026-05-02T00:00:00Z&end_date=2026-05-01T00:00:00Z',
      'INVALID_PARAMETER_VALUE',
    ],
    ['of four years ago', 'start_date=2022-05-01T00:00:00Z&end_date=2022-05-02T00:00:00Z', 'INVALID_PARAMETER_VALUE'],
  ])('is refused a report %s', async (_name, query, issue) => {
    const { counterpart } = await start();
    expect(await counterpart.ask('GET', `/v1/reporting/transactions?${query}`)).toMatchObject({ status: 400, issue });
  });

  it('is refused pages of more than 500, and everything without a token', async () => {
    const { counterpart } = await start();
    const path = '/v1/reporting/transactions?start_date=2026-05-01T00:00:00Z&end_date=2026-05-02T00:00:00Z';
    expect((await counterpart.ask('GET', `${path}&page_size=501`)).status).toBe(400);
    expect((await counterpart.ask('GET', path, undefined, { authorization: 'Bearer nothing' })).status).toBe(401);
  });
});

describe('a report of several pages', () => {
  const entry = (id: number) => ({
    transaction_info: {
      transaction_id: `T${id}`,
      transaction_event_code: 'T0006',
      transaction_initiation_date: '2026-06-01T12:00:00+0000',
      transaction_amount: { currency_code: 'USD', value: '1.00' },
      transaction_status: 'S',
    },
  });

  /** A PayPal that answers page by page with these. */
  async function paged(
    pages: readonly { readonly ids: readonly number[]; readonly total: number; readonly page?: number }[],
  ) {
    const { url } = await startRaw((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      if (pathname === '/v1/oauth2/token')
        return response.end(JSON.stringify({ access_token: 'a', token_type: 'Bearer', expires_in: 900 }));
      const number = Number(searchParams.get('page'));
      const { ids = [], total = 0, page = number } = pages[number - 1] ?? {};
      const body = { transaction_details: ids.map(entry), page, total_items: total, total_pages: pages.length };
      return response.end(JSON.stringify(body));
    });
    return allOf(reportsOf(url), NOON, after(NOON, HOUR));
  }

  it('is read page by page to its end', async () => {
    const found = await paged([
      { ids: [1, 2], total: 3 },
      { ids: [3], total: 3 },
    ]);
    expect(found.map(({ id }) => id)).toEqual(['T1', 'T2', 'T3']);
  });

  it.each([
    [
      'grew while it was read',
      [
        { ids: [1, 2], total: 3 },
        { ids: [3, 4], total: 4 },
      ],
    ],
    [
      'has fewer transactions than it says',
      [
        { ids: [1, 2], total: 4 },
        { ids: [3], total: 4 },
      ],
    ],
    [
      'repeats a page',
      [
        { ids: [1, 2], total: 4 },
        { ids: [1, 2], total: 4, page: 1 },
      ],
    ],
  ])('is not believed when it %s', async (_name, pages) => {
    expect(await refusalOf(paged(pages))).toBeInstanceOf(PaypalUnknown);
  });
});
