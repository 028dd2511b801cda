import { z } from 'zod';
import { after, type Clock, DAY } from '../../../subgraphs/kernel/clock.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromWire, toWire, type WireMoney } from '../paypal.money.js';
import type { Books, CaptureRow, RefundRow } from './books.js';
import { Refusal } from './refusal.js';
import { readBody } from './requests.js';

const LONGEST_MS = 31 * DAY;
const KEPT_FOR_MS = 3 * 365 * DAY;

const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const number = (most: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(most));

const reportQuery = z.object({
  start_date: moment,
  end_date: moment,
  page_size: number(500).default(100),
  page: number(2_147_483_647).default(1),
  fields: z.string().default('transaction_info'),
  balance_affecting_records_only: z.enum(['Y', 'N']).default('Y'),
  transaction_status: z.enum(['D', 'P', 'S', 'V']).optional(),
});

interface Entry {
  readonly at: Date;
  readonly status: 'S' | 'V';
  readonly details: Readonly<Record<string, unknown>>;
}

/** What moved on the account: `/v1/reporting/transactions`, from captures and refunds. */
export class Reports {
  constructor(
    private readonly books: Books,
    private readonly now: Clock,
    /** How long after it happened a transaction is listed; PayPal's is three hours at most. */
    private readonly delayMs: number,
    /** A query that finds more is refused. */
    private readonly most: number,
  ) {}

  /** @throws Refusal */
  list(query: URLSearchParams): object {
    const wanted = readBody(reportQuery, Object.fromEntries(query));
    const { start_date: start, end_date: end, page, page_size: size } = wanted;
    if (end < start || after(start, LONGEST_MS) < end) throw Refusal.of('INVALID_PARAMETER_VALUE', '/end_date');
    if (after(start, KEPT_FOR_MS) < this.now()) throw Refusal.of('INVALID_PARAMETER_VALUE', '/start_date');
    const refreshed = after(this.now(), -this.delayMs);
    const found = this.entries().filter(
      ({ at, status }) =>
        at >= start && at <= end && at <= refreshed && status === (wanted.transaction_status ?? status),
    );
    if (found.length > this.most) throw new Refusal(400, 'RESULTSET_TOO_LARGE');
    return {
      transaction_details: found
        .slice((page - 1) * size, page * size)
        .map(({ details }) => ({ transaction_info: details })),
      start_date: written(start),
      end_date: written(end),
      last_refreshed_datetime: written(refreshed),
      page,
      total_items: found.length,
      total_pages: Math.ceil(found.length / size),
      links: [],
    };
  }

  private entries(): Entry[] {
    // What is pending, or came to nothing, has moved nothing.
    const captures = this.books.captures
      .values()
      .filter(({ status }) => status !== 'PENDING' && status !== 'DECLINED')
      .map((capture) => this.captured(capture));
    const refunds = this.books.refunds
      .values()
      .filter(({ status }) => status === 'COMPLETED')
      .map((refund) => this.refunded(refund));
    return [...captures, ...refunds].toSorted((one, other) => one.at.getTime() - other.at.getTime());
  }

  private captured(capture: CaptureRow): Entry {
    const status = capture.status === 'REFUNDED' ? 'V' : 'S';
    const details = {
      ...entryOf(capture.id, 'T0006', capture.createdAt, status, capture.amount),
      paypal_reference_id: capture.authorizationId,
      paypal_reference_id_type: 'TXN',
      fee_amount: negative(capture.fee),
      ...this.named(capture.orderId, capture.invoiceId, null),
    };
    return { at: inSeconds(capture.createdAt), status, details };
  }

  private refunded(refund: RefundRow): Entry {
    const details = {
      ...entryOf(refund.id, 'T1107', refund.createdAt, 'S', negative(refund.amount)),
      paypal_reference_id: refund.captureId,
      paypal_reference_id_type: 'TXN',
      ...this.named(refund.orderId, refund.invoiceId, refund.customId),
    };
    return { at: inSeconds(refund.createdAt), status: 'S', details };
  }

  private named(orderId: string, invoiceId: string | null, customId: string | null): object {
    const custom = customId ?? this.books.orders.get(orderId)?.customId ?? null;
    return { ...(invoiceId !== null && { invoice_id: invoiceId }), ...(custom !== null && { custom_field: custom }) };
  }
}

function entryOf(id: string, code: string, at: string, status: 'S' | 'V', amount: WireMoney): object {
  return {
    transaction_id: id,
    transaction_event_code: code,
    transaction_initiation_date: written(new Date(at)),
    transaction_updated_date: written(new Date(at)),
    transaction_amount: amount,
    transaction_status: status,
  };
}

function negative(wire: WireMoney): WireMoney {
  const money = fromWire(wire);
  return toWire(Money.zero(money.currency).minus(money));
}

/** Reports know whole seconds. */
function inSeconds(time: string): Date {
  return new Date(`${time.slice(0, 19)}Z`);
}

function written(time: Date): string {
  return `${time.toISOString().slice(0, 19)}+0000`;
}
