import type { WireMoney } from '../paypal.money.js';
import type { Books, OrderRow } from './books.js';

interface Entry {
  readonly id: string;
  /** Our payment's id, as the order carries it. */
  readonly paymentId: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
  readonly createdAt: string;
}

/** What the books say, for people and tests: not a part of PayPal's API. */
export function viewOf(books: Books): object {
  const orderOf = (id: string) => books.orders.get(id);
  return {
    orders: [...books.orders.values()].map((order) => ({
      ...entry(order, order),
      referenceId: order.referenceId,
      invoiceId: order.invoiceId,
      scenario: order.scenario,
    })),
    authorizations: [...books.authorizations.values()].map((authorization) => ({
      ...entry(authorization, orderOf(authorization.orderId)),
      orderId: authorization.orderId,
      expiresAt: authorization.expiresAt,
    })),
    captures: [...books.captures.values()].map((capture) => ({
      ...entry(capture, orderOf(capture.orderId)),
      orderId: capture.orderId,
      authorizationId: capture.authorizationId,
      invoiceId: capture.invoiceId,
      fee: capture.fee.value,
    })),
    refunds: [...books.refunds.values()].map((refund) => ({
      ...entry(refund, orderOf(refund.orderId)),
      orderId: refund.orderId,
      captureId: refund.captureId,
      invoiceId: refund.invoiceId,
    })),
    pendingNotifications: books.notifications.size,
  };
}

function entry(row: { id: string; amount: WireMoney; status: string; createdAt: string }, order?: OrderRow): Entry {
  return {
    id: row.id,
    paymentId: order?.customId ?? null,
    amount: row.amount.value,
    currency: row.amount.currency_code,
    status: row.status,
    createdAt: row.createdAt,
  };
}
