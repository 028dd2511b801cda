import { after, type Clock, DAY } from '../../../subgraphs/kernel/clock.js';
import type { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromWire, toWire } from '../paypal.money.js';
import type { Books, CaptureRow, RefundRow } from './books.js';
import { drawId, type Effect } from './effect.js';
import { Refusal } from './refusal.js';
import { type RefundRequest, readAmount } from './requests.js';
import { found, sumOf } from './resources.js';

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
      status: 'COMPLETED',
      amount: toWire(amount),
      customId: request.custom_id ?? order.customId,
      invoiceId: request.invoice_id ?? null,
      note: request.note_to_payer ?? null,
      createdAt: now.toISOString(),
    };
    const row: CaptureRow = {
      ...capture,
      status: amount.equals(rest) ? 'REFUNDED' : 'PARTIALLY_REFUNDED',
      refundIds: [...capture.refundIds, refund.id],
      updatedAt: now.toISOString(),
    };
    const resource = { kind: 'refund', id: refund.id } as const;
    return {
      changes: [
        { table: 'captures', row },
        { table: 'refunds', row: refund },
      ],
      resource,
      // PayPal's event of a refund is named after the capture but carries the refund.
      happenings: [{ type: 'PAYMENT.CAPTURE.REFUNDED', resource, scenario: order.scenario }],
    };
  }

  private restOf(capture: CaptureRow): Money {
    const amounts = capture.refundIds.map((id) => found(this.books.refunds.get(id)).amount);
    return fromWire(capture.amount).minus(sumOf(amounts, capture.amount));
  }
}
