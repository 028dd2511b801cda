import { after, type Clock, DAY } from '../../../subgraphs/kernel/clock.js';
import type { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromWire, toWire } from '../paypal.money.js';
import type { Books, CaptureRow, RefundRow } from './books.js';
import { drawId, type Effect, type Happening } from './effect.js';
import { Refusal } from './refusal.js';
import { type RefundRequest, readAmount } from './requests.js';
import { found, sumOf } from './resources.js';
import { played, playOf } from './scenarios.js';

/** PayPal refunds through the API for this long after the capture. */
const REFUNDABLE_FOR = 180 * DAY;

/** Money given back after its capture, whole or in parts. */
export class Refunds {
  constructor(
    private readonly books: Books,
    private readonly now: Clock,
  ) {}

  /** @throws Refusal */
  refund(captureId: string, request: RefundRequest): Effect {
    const capture = found(this.books.captures.get(captureId));
    const order = found(this.books.orders.get(capture.orderId));
    const now = this.now();
    if (capture.status === 'REFUNDED') throw Refusal.of('CAPTURE_FULLY_REFUNDED');
    if (now > after(new Date(capture.createdAt), REFUNDABLE_FOR)) throw Refusal.of('REFUND_TIME_LIMIT_EXCEEDED');
    const rest = this.restOf(capture);
    const amount = request.amount ? readAmount(request.amount, '/amount') : rest;
    if (amount.currency !== rest.currency)
      throw Refusal.of('REFUND_CAPTURE_CURRENCY_MISMATCH', '/amount/currency_code');
    if (amount.isMoreThan(rest)) throw Refusal.of('REFUND_AMOUNT_EXCEEDED', '/amount/value');
    if (request.invoice_id !== undefined && this.books.invoices.refunds.has(request.invoice_id))
      throw Refusal.of('DUPLICATE_INVOICE_ID', '/invoice_id');
    const refund: RefundRow = {
      id: drawId(),
      orderId: order.id,
      captureId,
      status: playOf(order.scenario).refund?.[0] ?? 'COMPLETED',
      amount: toWire(played('refund', order.scenario, amount)),
      customId: request.custom_id ?? order.customId,
      invoiceId: request.invoice_id ?? null,
      note: request.note_to_payer ?? null,
      createdAt: now.toISOString(),
    };
    const earlier = capture.refundIds.map((id) => found(this.books.refunds.get(id)));
    const row = { ...afterRefund(capture, [...earlier, refund], now), refundIds: [...capture.refundIds, refund.id] };
    return {
      changes: [
        { table: 'captures', row },
        { table: 'refunds', row: refund },
      ],
      resource: { kind: 'refund', id: refund.id },
      happenings: [refundHappening(refund, order.scenario)],
    };
  }

  private restOf(capture: CaptureRow): Money {
    const refunds = capture.refundIds.map((id) => found(this.books.refunds.get(id)));
    const amounts = refunds.filter(({ status }) => status !== 'FAILED').map(({ amount }) => amount);
    return fromWire(capture.amount).minus(sumOf(amounts, capture.amount));
  }
}

/** A capture once this is what became of its refunds: those that are pending, or failed, gave nothing back. */
export function afterRefund(capture: CaptureRow, refunds: readonly RefundRow[], now: Date): CaptureRow {
  const given = refunds.filter(({ status }) => status === 'COMPLETED').map(({ amount }) => amount);
  if (given.length === 0) return { ...capture, updatedAt: now.toISOString() };
  const isAll = sumOf(given, capture.amount).equals(fromWire(capture.amount));
  return { ...capture, status: isAll ? 'REFUNDED' : 'PARTIALLY_REFUNDED', updatedAt: now.toISOString() };
}

/** PayPal's event of a refund that was given is named after the capture but carries the refund. */
export function refundHappening({ id, status }: RefundRow, scenario: string | null): Happening {
  const type = status === 'COMPLETED' ? 'PAYMENT.CAPTURE.REFUNDED' : `PAYMENT.REFUND.${status}`;
  return { type, resource: { kind: 'refund', id }, scenario };
}
