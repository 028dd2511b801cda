import { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromWire, toWire, type WireMoney } from '../paypal.money.js';
import type { AuthorizationRow, Books, CaptureRow, OrderRow, RefundRow, ResourceKind } from './books.js';
import { Refusal } from './refusal.js';

type Body = Readonly<Record<string, unknown>>;

/** Rows as PayPal shows them to the world. */
export class Resources {
  constructor(
    private readonly books: Books,
    /** Where this PayPal is reached, known once it listens. */
    private readonly origin: () => string,
  ) {}

  /** @throws Refusal INVALID_RESOURCE_ID */
  show(kind: ResourceKind, id: string): Body {
    if (kind === 'order') return this.order(found(this.books.orders.get(id)));
    if (kind === 'authorization') return this.authorization(found(this.books.authorizations.get(id)));
    if (kind === 'capture') return this.capture(found(this.books.captures.get(id)));
    return this.refund(found(this.books.refunds.get(id)));
  }

  /** What callers get who do not ask for the representation. */
  showMinimal(kind: ResourceKind, id: string): Body {
    const { status, links } = this.show(kind, id);
    return { id, status, links };
  }

  private order(order: OrderRow): Body {
    return {
      id: order.id,
      status: order.status,
      intent: 'AUTHORIZE',
      ...(order.vaultId !== null && { payment_source: { paypal: {} } }),
      purchase_units: [
        {
          reference_id: order.referenceId,
          amount: order.amount,
          ...present({ description: order.description, custom_id: order.customId, invoice_id: order.invoiceId }),
          ...(order.authorizationId !== null && { payments: this.paymentsOf(order.authorizationId) }),
        },
      ],
      create_time: order.createdAt,
      update_time: order.updatedAt,
      links: [
        this.link('self', 'GET', `/v2/checkout/orders/${order.id}`),
        this.link('approve', 'GET', `/checkoutnow?token=${order.id}`),
        this.link('authorize', 'POST', `/v2/checkout/orders/${order.id}/authorize`),
      ],
    };
  }

  private paymentsOf(authorizationId: string): Body {
    const authorization = found(this.books.authorizations.get(authorizationId));
    const captures = authorization.captureIds.map((id) => found(this.books.captures.get(id)));
    const refunds = captures.flatMap(({ refundIds }) => refundIds.map((id) => found(this.books.refunds.get(id))));
    return {
      authorizations: [this.authorization(authorization)],
      ...(captures.length > 0 && { captures: captures.map((capture) => this.capture(capture)) }),
      ...(refunds.length > 0 && { refunds: refunds.map((refund) => this.refund(refund)) }),
    };
  }

  private authorization(authorization: AuthorizationRow): Body {
    const order = found(this.books.orders.get(authorization.orderId));
    const path = `/v2/payments/authorizations/${authorization.id}`;
    return {
      id: authorization.id,
      status: authorization.status,
      ...detailsOf(authorization.status),
      amount: authorization.amount,
      ...present({ custom_id: order.customId, invoice_id: order.invoiceId }),
      seller_protection: { status: 'NOT_ELIGIBLE' },
      expiration_time: authorization.expiresAt,
      create_time: authorization.createdAt,
      update_time: authorization.updatedAt,
      supplementary_data: { related_ids: { order_id: order.id } },
      links: [
        this.link('self', 'GET', path),
        this.link('capture', 'POST', `${path}/capture`),
        this.link('void', 'POST', `${path}/void`),
        this.link('up', 'GET', `/v2/checkout/orders/${order.id}`),
      ],
    };
  }

  private capture(capture: CaptureRow): Body {
    const order = found(this.books.orders.get(capture.orderId));
    const path = `/v2/payments/captures/${capture.id}`;
    return {
      id: capture.id,
      status: capture.status,
      ...detailsOf(capture.status),
      amount: capture.amount,
      final_capture: capture.isFinal,
      ...present({ custom_id: order.customId, invoice_id: capture.invoiceId }),
      seller_protection: { status: 'NOT_ELIGIBLE' },
      seller_receivable_breakdown: {
        gross_amount: capture.amount,
        paypal_fee: capture.fee,
        net_amount: toWire(fromWire(capture.amount).minus(fromWire(capture.fee))),
      },
      create_time: capture.createdAt,
      update_time: capture.updatedAt,
      supplementary_data: { related_ids: { order_id: order.id, authorization_id: capture.authorizationId } },
      links: [
        this.link('self', 'GET', path),
        this.link('refund', 'POST', `${path}/refund`),
        this.link('up', 'GET', `/v2/payments/authorizations/${capture.authorizationId}`),
      ],
    };
  }

  private refund(refund: RefundRow): Body {
    const { refundIds } = found(this.books.captures.get(refund.captureId));
    const amounts = refundIds.map((id) => found(this.books.refunds.get(id)).amount);
    return {
      id: refund.id,
      status: refund.status,
      ...detailsOf(refund.status),
      amount: refund.amount,
      ...present({ custom_id: refund.customId, invoice_id: refund.invoiceId, note_to_payer: refund.note }),
      seller_payable_breakdown: {
        gross_amount: refund.amount,
        // PayPal keeps the fee of the payment.
        paypal_fee: toWire(Money.zero(fromWire(refund.amount).currency)),
        net_amount: refund.amount,
        total_refunded_amount: toWire(sumOf(amounts, refund.amount)),
      },
      create_time: refund.createdAt,
      update_time: refund.createdAt,
      links: [
        this.link('self', 'GET', `/v2/payments/refunds/${refund.id}`),
        this.link('up', 'GET', `/v2/payments/captures/${refund.captureId}`),
      ],
    };
  }

  private link(rel: string, method: string, path: string): Body {
    return { href: `${this.origin()}${path}`, rel, method };
  }
}

/** @throws Refusal INVALID_RESOURCE_ID */
export function found<Row>(row: Row | undefined): Row {
  if (row === undefined) throw Refusal.of('INVALID_RESOURCE_ID');
  return row;
}

/** @param like decides the currency of an empty sum */
export function sumOf(amounts: readonly WireMoney[], like: WireMoney): Money {
  return amounts.map(fromWire).reduce((sum, next) => sum.plus(next), Money.zero(fromWire(like).currency));
}

function detailsOf(status: string): Body {
  return status === 'PENDING' ? { status_details: { reason: 'PENDING_REVIEW' } } : {};
}

function present(fields: Body): Body {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
