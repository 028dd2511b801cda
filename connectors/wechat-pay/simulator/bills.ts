import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { after, DAY, HOUR, SECOND } from '../../../subgraphs/kernel/clock.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { BILL_HEADER, SUMMARY_COLUMNS, SUMMARY_HEADER } from '../wechat-pay.bill.columns.js';
import { newNonce } from '../wechat-pay.signature.js';
import { toBeijing } from '../wechat-pay.time.js';
import type { Books, Payment, Refund } from './books.js';
import { field, Refused, read } from './refused.js';
import type { Settings } from './settings.js';

/** How long the address of a file is good for. */
const ADDRESS_LIFE_MS = 30 * SECOND;
const READY_AT_MS = 10 * HOUR;
const KEPT_FOR_MS = 92 * DAY;

const billQuery = z.object({
  bill_date: z.iso.date(),
  bill_type: z.enum(['ALL', 'SUCCESS', 'REFUND']).default('ALL'),
  tar_type: z.literal('GZIP').optional(),
  sub_mchid: field.merchantNumber.optional(),
});
const downloadQuery = z.object({ token: z.string().min(1), tartype: z.literal('gzip').optional() });

interface BillFile {
  readonly bytes: Buffer;
  readonly isPacked: boolean;
  readonly goodUntil: number;
}

/** The bills of days that are over: `/v3/bill/tradebill` and `/v3/billdownload/file`. */
export class Bills {
  private readonly files = new Map<string, BillFile>();

  constructor(
    private readonly books: Books,
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  /** @param origin where the file can be had: theirs is the host that was asked */
  request(query: unknown, origin: string): Record<string, unknown> {
    const wanted = read(billQuery, query);
    const begin = this.beginOf(wanted.bill_date);
    // The published types of the other two have further columns, which nobody here reads.
    if (wanted.bill_type !== 'ALL') throw new Refused(400, 'PARAM_ERROR', '参数错误: bill_type');
    const rows = this.rowsOf(begin, wanted.sub_mchid);
    if (rows.length === 0) throw new Refused(400, 'NO_STATEMENT_EXIST', '账单文件不存在');
    const bytes = Buffer.from(
      `\ufeff${[BILL_HEADER, ...rows.map(lineOf), SUMMARY_HEADER, summaryOf(rows)].join('\r\n')}\r\n`,
    );
    const isPacked = wanted.tar_type !== undefined;
    const token = newNonce();
    this.files.set(token, { bytes, isPacked, goodUntil: this.now().getTime() + ADDRESS_LIFE_MS });
    return {
      hash_type: 'SHA1',
      hash_value: createHash('sha1').update(bytes).digest('hex'),
      download_url: `${origin}/v3/billdownload/file?token=${token}${isPacked ? '&tartype=gzip' : ''}`,
    };
  }

  download(query: unknown): Buffer {
    const { token, tartype } = read(downloadQuery, query);
    const now = this.now().getTime();
    for (const [old, { goodUntil }] of this.files) if (goodUntil < now) this.files.delete(old);
    const file = this.files.get(token);
    if (file === undefined || file.isPacked !== (tartype !== undefined)) {
      throw new Refused(400, 'INVALID_REQUEST', '账单下载地址已失效');
    }
    return file.isPacked ? gzipSync(file.bytes) : file.bytes;
  }

  /** When that day began in Beijing. @throws Refused for a day whose bill cannot be had, or not yet */
  private beginOf(day: string): Date {
    const begin = new Date(`${day}T00:00:00+08:00`);
    const now = this.now();
    const today = new Date(`${toBeijing(now).slice(0, 10)}T00:00:00+08:00`);
    if (begin >= today) throw new Refused(400, 'PARAM_ERROR', '参数错误: bill_date');
    if (after(begin, KEPT_FOR_MS) < now) throw new Refused(400, 'INVALID_REQUEST', '只能查询三个月内的账单');
    if (now < after(begin, DAY + READY_AT_MS)) throw new Refused(400, 'STATEMENT_CREATING', '账单生成中，请稍后再试');
    return begin;
  }

  private rowsOf(begin: Date, merchantId: string | undefined): string[][] {
    const end = begin.getTime() + DAY;
    const isAskedFor = (at: number, merchant: string) =>
      at >= begin.getTime() && at < end && (merchantId === undefined || merchant === merchantId);
    const paid = this.books.payments.values().flatMap((payment): [number, string[]][] => {
      const { status, paidAt, merchantId: merchant } = payment;
      if (status !== 'SUCCESS' || paidAt === null || !isAskedFor(paidAt, merchant)) return [];
      return [[paidAt, this.paymentRow(payment, paidAt)]];
    });
    const refunded = this.books.refunds.values().flatMap((refund): [number, string[]][] => {
      const payment = this.books.paymentOf(refund.transactionId);
      if (payment === null || !isAskedFor(refund.createdAt, refund.merchantId)) return [];
      return [[refund.createdAt, this.refundRow(refund, payment)]];
    });
    return [...paid, ...refunded].toSorted(([one], [other]) => one - other).map(([, row]) => row);
  }

  private paymentRow(payment: Payment, paidAt: number): string[] {
    const total = yuan(payment.totalFen);
    const trade = this.tradeOf(payment, paidAt, 'SUCCESS');
    const attach = payment.referenceOrderId;
    return [
      ...trade,
      total,
      '0.00',
      '0',
      '0',
      '0.00',
      '0.00',
      '',
      '',
      '',
      attach,
      '0.00000',
      '0.00%',
      total,
      '0.00',
      '',
    ];
  }

  private refundRow(refund: Refund, payment: Payment): string[] {
    const back = yuan(refund.refundFen);
    const trade = this.tradeOf(payment, refund.createdAt, 'REFUND');
    const { refundId, outRefundNo, status } = refund;
    // What the payer's account could not take is, for the bill, a refund that went back to the merchant.
    const state = status === 'ABNORMAL' ? 'CHANGE' : status;
    const attach = payment.referenceOrderId;
    const numbers = ['0.00', '0.00', refundId, outRefundNo, back, '0.00', 'ORIGINAL', state];
    return [...trade, ...numbers, '', attach, '0.00000', '0.00%', '0.00', back, ''];
  }

  /** The first twelve columns. */
  private tradeOf(payment: Payment, at: number, state: string): string[] {
    const order = this.books.order(payment.merchantId, payment.outTradeNo);
    const time = toBeijing(new Date(at)).slice(0, 19).replace('T', ' ');
    const { mchid } = this.settings;
    const numbers = [
      order?.appid ?? '',
      mchid,
      payment.merchantId,
      '',
      payment.transactionId ?? '',
      payment.outTradeNo,
    ];
    return [time, ...numbers, '', 'NATIVE', state, 'OTHERS', 'CNY'];
  }
}

function lineOf(values: readonly string[]): string {
  return values.map((value) => `\`${value}`).join(',');
}

function summaryOf(rows: readonly (readonly string[])[]): string {
  const sums = SUMMARY_COLUMNS.map((column) =>
    rows.reduce((sum, row) => sum.plus(Money.parse(trimmed(row[column] ?? ''), 'CNY')), Money.zero('CNY')).toDecimal(),
  );
  // Fees have five decimals; ours are all nothing.
  sums[3] = `${sums[3]}000`;
  return lineOf([String(rows.length), ...sums]);
}

function trimmed(decimal: string): string {
  return decimal.replace(/(\.\d\d)0+$/, '$1');
}

function yuan(fen: bigint): string {
  return Money.of(fen, 'CNY').toDecimal();
}
