import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BILL_HEADER, SUMMARY_HEADER } from '../../../connectors/wechat-pay/wechat-pay.bill.columns.js';
import { readTradeBill, type TradeBillRow } from '../../../connectors/wechat-pay/wechat-pay.bill.js';
import { WechatPayBillDamaged } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { allOf, MCHID, thrownBy } from './network.fixture.js';

const DAY = '2026-06-01';

const payment = [
  ...['2026-06-01 17:07:11', 'wx8888888888888888', MCHID, '1600000000', '', '4200000925202606014997714292'],
  ...['ord_0001', 'oPayer', 'NATIVE', 'SUCCESS', 'OTHERS', 'CNY', '49.50', '0.50', '0', '0', '0.00', '0.00'],
  ...['', '', 'Tea, green,black', 'pay_us_1', '0.27000', '0.54%', '50.00', '0.00', ''],
];
const refund = [
  ...['2026-06-01 23:59:59', 'wx8888888888888888', MCHID, '1600000000', '', '4200000925202606014997714292'],
  ...[
    'ord_0001',
    'oPayer',
    'NATIVE',
    'REFUND',
    'OTHERS',
    'CNY',
    '0.00',
    '0.00',
    '50300001',
    'ref_us_1',
    '9.90',
    '0.10',
  ],
  ...['ORIGINAL', 'SUCCESS', 'Tea, green,black', 'pay_us_1', '-0.05400', '0.54%', '0.00', '10.00', ''],
];
const summary = ['2', '49.50', '9.90', '0.10', '0.21600', '50.00', '10.00'];

const line = (values: readonly string[]) => values.map((value) => `\`${value}`).join(',');

function bill(
  rows: readonly string[][] = [payment, refund],
  totals: readonly string[] = summary,
  end = '\r\n',
): string {
  return `\ufeff${[BILL_HEADER, ...rows.map(line), SUMMARY_HEADER, line(totals)].join(end)}${end}`;
}

/** In pieces of so many bytes, which cut through characters and line ends. */
async function* pieces(text: string | Buffer, size = 1_000_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function rowsOf(text: string | Buffer, size?: number): Promise<TradeBillRow[]> {
  return allOf(readTradeBill(pieces(text, size), DAY, MCHID));
}

const change = (row: readonly string[], column: number, value: string) => row.with(column, value);

async function faultOf(text: string | Buffer): Promise<string> {
  const thrown = await thrownBy(rowsOf(text));
  if (!(thrown instanceof WechatPayBillDamaged)) throw thrown;
  return `${thrown.fault} ${thrown.line}${thrown.column ? ` ${thrown.column}` : ''}`;
}

describe('readTradeBill', () => {
  it('reads payments and refunds, exactly and in Beijing time', async () => {
    const [paid, back, ...others] = await rowsOf(bill());
    expect(others).toEqual([]);
    expect({ ...paid, amount: String(paid?.amount) }).toEqual({
      kind: 'PAYMENT',
      happenedAt: new Date('2026-06-01T09:07:11Z'),
      merchantId: '1600000000',
      transactionId: '4200000925202606014997714292',
      outTradeNo: 'ord_0001',
      amount: '50.00 CNY',
      refundId: null,
      outRefundNo: null,
      state: 'SUCCESS',
      attach: 'pay_us_1',
      fee: '0.27000',
    });
    expect({ ...back, amount: String(back?.amount) }).toMatchObject({
      kind: 'REFUND',
      amount: '10.00 CNY',
      refundId: '50300001',
      outRefundNo: 'ref_us_1',
      state: 'SUCCESS',
      fee: '-0.05400',
    });
  });

  it('gives the same rows however the bytes are cut, with either line end, and without the last one', async () => {
    const whole = await rowsOf(bill());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (size) => {
        expect(await rowsOf(bill(), size)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
    expect(await rowsOf(bill(undefined, undefined, '\n'))).toEqual(whole);
    expect(await rowsOf(bill().trimEnd())).toEqual(whole);
  });

  it('hands rows on before the file has ended', async () => {
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${BILL_HEADER}\n${line(payment)}\n`);
      throw new Error('the rest was asked for before the first row was given');
    }
    const rows = readTradeBill(stuck(), DAY, MCHID);
    expect((await rows.next()).value).toMatchObject({ outTradeNo: 'ord_0001' });
    await expect(rows.next()).rejects.toThrow('the rest was asked for');
  });

  it('reads a bill without a trade', async () => {
    expect(await rowsOf(bill([], ['0', '0.00', '0.00', '0.00', '0.00', '0.00', '0.00']))).toEqual([]);
  });

  it.each<[string, string | Buffer, string]>([
    ['an empty file', '', 'TRUNCATED 0'],
    ['another header', bill().replace('交易时间', '时间'), 'HEADER 1'],
    ['a row with a value too few', bill([payment.slice(1)]), 'COLUMNS 2'],
    ['a row with a value too many', bill([[...payment, '']]), 'COLUMNS 2'],
    ['a row without backticks', bill().replaceAll('`', ''), 'COLUMNS 2'],
    ['an empty line', bill().replace('\r\n', '\r\n\r\n'), 'COLUMNS 2'],
    ['an error page', '<html>502</html>', 'HEADER 1'],
    ['an amount with one decimal', bill([change(payment, 24, '50.0')]), 'VALUE 2 订单金额'],
    ['an amount with three decimals', bill([change(payment, 24, '50.000')]), 'VALUE 2 订单金额'],
    ['an amount with an exponent', bill([change(payment, 24, '5e1')]), 'VALUE 2 订单金额'],
    ['a currency with other decimals', bill([change(payment, 11, 'JPY')]), 'VALUE 2 货币种类'],
    ['a kind of trade nobody knows', bill([change(payment, 9, 'GIFT')]), 'VALUE 2 交易状态'],
    ['a refund without a state', bill([payment, change(refund, 19, '')]), 'VALUE 3 退款状态'],
    ['a refund without its number', bill([payment, change(refund, 15, '')]), 'VALUE 3 商户退款单号'],
    ['a day that no calendar has', bill([change(payment, 0, '2026-06-31 00:00:00')]), 'DAY 2 交易时间'],
    ['an hour that no clock has', bill([change(payment, 0, '2026-06-01 25:00:00')]), 'VALUE 2 交易时间'],
    ['a trade of another day', bill([change(payment, 0, '2026-06-02 00:00:00')]), 'DAY 2 交易时间'],
    ["another one's trade", bill([change(payment, 2, '1900000002')]), 'MERCHANT 2 商户号'],
    ['a total that is not the sum', bill(undefined, change(summary, 5, '50.01')), 'TOTALS 5'],
    ['a fee total that is not the sum', bill(undefined, change(summary, 4, '0.21601')), 'TOTALS 5'],
    ['a count that is not that of the rows', bill(undefined, change(summary, 0, '3')), 'TOTALS 5'],
    ['a row that was taken out', bill([refund]), 'TOTALS 4'],
    ['a row that was doubled', bill([payment, payment, refund]), 'TOTALS 6'],
    ['totals in another form', bill(undefined, summary.slice(1)), 'SUMMARY 5'],
    ['an end within the rows', bill().slice(0, bill().indexOf(SUMMARY_HEADER)), 'TRUNCATED 3'],
    ['an end before the totals', bill().slice(0, bill().indexOf('`2,`49')), 'TRUNCATED 4'],
    ['more after the totals', `${bill()}${line(payment)}\r\n`, 'SUMMARY 6'],
    ['bytes that are no text', Buffer.concat([Buffer.from(bill()), Buffer.from([0xff])]), 'ENCODING 0'],
    ['a line without an end', bill([change(payment, 20, 'x'.repeat(70_000))]).slice(0, 69_000), 'LINE_LENGTH 2'],
  ])('refuses %s', async (_name, text, fault) => {
    expect(await faultOf(text)).toBe(fault);
  });

  it('names the place of a mistake, never what stands there', async () => {
    const thrown = await thrownBy(rowsOf(bill([change(payment, 24, 'oPayer')])));
    expect(String(thrown)).toBe('WechatPayBillDamaged: the bill is damaged: VALUE in line 2 (订单金额)');
  });
});
