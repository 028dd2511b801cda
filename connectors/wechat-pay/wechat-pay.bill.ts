import { TextDecoder } from 'node:util';
import { type Currency, decimalsOf, isCurrency } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { BILL_COLUMNS, BILL_HEADER, SUMMARY_COLUMNS, SUMMARY_HEADER } from './wechat-pay.bill.columns.js';
import { type BillFault, WechatPayBillDamaged } from './wechat-pay.errors.js';

/** One line of a trade bill: a payment, a refund (with what it refunds), or a payment that was taken back the same day. */
export interface TradeBillRow {
  readonly kind: 'PAYMENT' | 'REFUND' | 'REVERSAL';
  readonly happenedAt: Date;
  /** Whose trade it is (`sub_mchid`), or ours where no sub-merchant is named. */
  readonly merchantId: string;
  readonly transactionId: string;
  readonly outTradeNo: string;
  /** What was paid; of a refund, what was asked back. */
  readonly amount: Money;
  /** Theirs and ours, of refunds only. */
  readonly refundId: string | null;
  readonly outRefundNo: string | null;
  /** SUCCESS, or where a refund stands. */
  readonly state: string;
  /** What we sent along with the payment. */
  readonly attach: string;
  /** Yuan, up to five decimals, which no fen can express; negative where a fee is given back. */
  readonly fee: string;
}

/** Far more than the longest fields of a row together. */
const LONGEST_LINE = 65_536;
const KINDS: ReadonlyMap<string, TradeBillRow['kind']> = new Map([
  ['SUCCESS', 'PAYMENT'],
  ['REFUND', 'REFUND'],
  ['REVOKED', 'REVERSAL'],
]);
const MOMENT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;
const YUAN = /^-?\d{1,13}\.\d\d$/;
const FEE = /^-?\d{1,13}\.\d{2,5}$/;
const NUMBER = /^[0-9A-Za-z_\-|*@]{1,64}$/;
const COUNT = /^\d{1,12}$/;

/**
 * The rows of a trade bill as its bytes come, never more of it in memory than a piece. A row is proven only when the
 * iteration has ended without an error: only then have the totals, which come last, agreed with the rows.
 * @param day `YYYY-MM-DD` in Beijing, and `mchid`, whose bill was asked for: another one is refused
 * @throws WechatPayBillDamaged
 */
export async function* readTradeBill(
  bytes: AsyncIterable<Uint8Array>,
  day: string,
  mchid: string,
): AsyncGenerator<TradeBillRow> {
  const reader = new TradeBillReader(day, mchid);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of bytes) {
    const lines = (rest + decode(decoder, piece)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const row = reader.read(line);
      if (row !== null) yield row;
    }
    if (rest.length > LONGEST_LINE) throw new WechatPayBillDamaged('LINE_LENGTH', reader.line + 1);
  }
  // The last line may lack its end.
  rest += decode(decoder, null);
  if (rest !== '') reader.read(rest);
  reader.end();
}

/** Goes through a bill line by line and keeps the totals. */
class TradeBillReader {
  line = 0;
  private next: 'HEADER' | 'ROW' | 'SUMMARY' | 'END' = 'HEADER';
  private count = 0;
  private readonly totals = SUMMARY_COLUMNS.map(() => 0n);

  constructor(
    private readonly day: string,
    private readonly mchid: string,
  ) {}

  /** @returns null for the lines around the rows */
  read(text: string): TradeBillRow | null {
    this.line += 1;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (this.next === 'ROW' && line !== SUMMARY_HEADER) return this.row(valuesOf(line));
    if (this.next === 'ROW') this.next = 'SUMMARY';
    else if (this.next === 'SUMMARY') this.checkTotals(valuesOf(line));
    else if (this.next === 'HEADER' && line === BILL_HEADER) this.next = 'ROW';
    else this.refuse(this.next === 'HEADER' ? 'HEADER' : 'SUMMARY');
    return null;
  }

  end(): void {
    if (this.next !== 'END') this.refuse('TRUNCATED');
  }

  private row(values: readonly string[] | null): TradeBillRow {
    if (values?.length !== BILL_COLUMNS.length) this.refuse('COLUMNS');
    const at = (column: number): string => values[column] ?? '';
    const kind = KINDS.get(at(9)) ?? this.refuse('VALUE', 9);
    if (at(2) !== this.mchid) this.refuse('MERCHANT', 2);
    const currency = this.currency(at(11));
    SUMMARY_COLUMNS.forEach((column, index) => {
      this.totals[index] = (this.totals[index] ?? 0n) + this.exact(at(column), column);
    });
    this.exact(at(13), 13);
    this.count += 1;
    const isRefund = kind === 'REFUND';
    return {
      kind,
      happenedAt: this.moment(at(0)),
      merchantId: at(3) === '' || at(3) === '0' ? at(2) : this.number(at(3), 3),
      transactionId: this.number(at(5), 5),
      outTradeNo: this.number(at(6), 6),
      amount: Money.of(this.exact(at(isRefund ? 25 : 24), isRefund ? 25 : 24), currency),
      refundId: isRefund ? this.number(at(14), 14) : null,
      outRefundNo: isRefund ? this.number(at(15), 15) : null,
      state: isRefund ? at(19) || this.refuse('VALUE', 19) : at(9),
      attach: at(21),
      fee: at(22),
    };
  }

  private checkTotals(values: readonly string[] | null): void {
    const [count = '', ...sums] = values ?? [];
    if (sums.length !== SUMMARY_COLUMNS.length || !COUNT.test(count)) this.refuse('SUMMARY');
    const agree = sums.every((sum, index) => this.exact(sum, SUMMARY_COLUMNS[index] ?? 0) === this.totals[index]);
    if (!agree || BigInt(count) !== BigInt(this.count)) this.refuse('TOTALS');
    this.next = 'END';
  }

  /** Fen; of the fee hundred-thousandths of a yuan. */
  private exact(text: string, column: number): bigint {
    if (text === '0.00') return 0n;
    if (column !== FEE_COLUMN) {
      if (!YUAN.test(text)) this.refuse('VALUE', column);
      return BigInt(text.slice(0, -3) + text.slice(-2));
    }
    if (!FEE.test(text)) this.refuse('VALUE', column);
    const point = text.indexOf('.');
    return BigInt(text.slice(0, point) + text.slice(point + 1).padEnd(5, '0'));
  }

  private currency(code: string): Currency {
    return isCurrency(code) && decimalsOf(code) === 2 ? code : this.refuse('VALUE', 11);
  }

  private number(text: string, column: number): string {
    return NUMBER.test(text) ? text : this.refuse('VALUE', column);
  }

  private moment(text: string): Date {
    const time = MOMENT.test(text) ? Date.parse(`${text.replace(' ', 'T')}+08:00`) : Number.NaN;
    if (Number.isNaN(time)) this.refuse('VALUE', 0);
    if (!text.startsWith(this.day)) this.refuse('DAY', 0);
    return new Date(time);
  }

  private refuse(fault: BillFault, column?: number): never {
    throw new WechatPayBillDamaged(fault, this.line, column === undefined ? undefined : BILL_COLUMNS[column]);
  }
}

const FEE_COLUMN = 22;

/** Null: not a line of values. Commas belong to texts, such as the goods' names; only one before a backtick separates. */
function valuesOf(line: string): string[] | null {
  return line.startsWith('`') ? line.slice(1).split(',`') : null;
}

function decode(decoder: TextDecoder, piece: Uint8Array | null): string {
  try {
    return piece === null ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    // A piece holds many lines: which of them it was is not worth looking for.
    throw new WechatPayBillDamaged('ENCODING', 0);
  }
}
