import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BILL_HEADER, SUMMARY_HEADER } from '../../../connectors/wechat-pay/wechat-pay.bill.columns.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';

export const DAY = '2026-06-01';
export const MCHID = '1900000001';
/** Every so many lines the amount is a fen more than ours. */
export const WRONG_EVERY = 10_000;

const LINES_A_PIECE = 1_000;

/** The payment that line `n` is about; the database makes the same ids. */
export function paymentIdOf(n: number): string {
  return `pay_us_${String(n).padStart(26, '0')}`;
}

/** Our price of payment `n`, in fen; the database reckons the same. */
function fenOf(n: number): bigint {
  return 100n + BigInt(n % 50_000);
}

/** Writes the bill of a day with so many payments: always the same bytes. */
export async function writeBill(path: string, count: number): Promise<void> {
  await pipeline(Readable.from(pieces(count)), createWriteStream(path));
}

function* pieces(count: number): Generator<string> {
  let [piece, total] = [`\ufeff${BILL_HEADER}\r\n`, 0n];
  for (let n = 1; n <= count; n += 1) {
    const fen = fenOf(n) + (n % WRONG_EVERY === 0 ? 1n : 0n);
    total += fen;
    piece += lineOf(n, Money.of(fen, 'CNY').toDecimal());
    if (n % LINES_A_PIECE === 0) {
      yield piece;
      piece = '';
    }
  }
  const sum = Money.of(total, 'CNY').toDecimal();
  yield `${piece}${SUMMARY_HEADER}\r\n\`${count},\`${sum},\`0.00,\`0.00,\`0.00000,\`${sum},\`0.00\r\n`;
}

function lineOf(n: number, yuan: string): string {
  const second = n % 72_000;
  const clock = [second / 3_600, (second / 60) % 60, second % 60].map((part) =>
    String(Math.floor(part)).padStart(2, '0'),
  );
  const values = [
    `${DAY} ${clock.join(':')}`,
    'wx8888888888888888',
    MCHID,
    '1600000000',
    '',
    `4200000${String(n).padStart(21, '0')}`,
    `1000000${String(n).padStart(21, '0')}`,
    'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    'NATIVE',
    'SUCCESS',
    'OTHERS',
    'CNY',
    yuan,
    ...['0.00', '0', '0', '0.00', '0.00', '', '', '两杯茶, Jinli Teahouse', paymentIdOf(n), '0.00000', '0.54%'],
    ...[yuan, '0.00', ''],
  ];
  return `${values.map((value) => `\`${value}`).join(',')}\r\n`;
}
