import { z } from 'zod';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { fromWire, wireMoney } from './paypal.money.js';

/** What we read of PayPal's answers. Fields that we do not use are let through unread: PayPal adds some all the time. */

const money = wireMoney.transform(fromWire);
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const id = z.string().min(1).max(64);
const reasons = z.object({ reason: z.string().optional() }).nullish();

const authorization = z
  .object({
    id,
    status: z.enum(['CREATED', 'CAPTURED', 'DENIED', 'PARTIALLY_CAPTURED', 'VOIDED', 'PENDING']),
    amount: money,
    expiration_time: moment.nullish(),
    status_details: reasons,
  })
  .transform(
    (wire): Authorization => ({
      id: wire.id,
      status: wire.status,
      amount: wire.amount,
      expiresAt: wire.expiration_time ?? null,
      reason: wire.status_details?.reason ?? null,
    }),
  );

const capture = z
  .object({
    id,
    status: z.enum(['COMPLETED', 'DECLINED', 'PARTIALLY_REFUNDED', 'PENDING', 'REFUNDED', 'FAILED']),
    amount: money,
    seller_receivable_breakdown: z.object({ paypal_fee: money.nullish() }).nullish(),
    status_details: reasons,
  })
  .transform(
    (wire): Capture => ({
      id: wire.id,
      status: wire.status,
      amount: wire.amount,
      fee: wire.seller_receivable_breakdown?.paypal_fee ?? null,
      reason: wire.status_details?.reason ?? null,
    }),
  );

const refund = z
  .object({
    id,
    status: z.enum(['COMPLETED', 'PENDING', 'FAILED', 'CANCELLED']),
    amount: money,
    status_details: reasons,
  })
  .transform(
    (wire): PaypalRefund => ({
      id: wire.id,
      status: wire.status,
      amount: wire.amount,
      reason: wire.status_details?.reason ?? null,
    }),
  );

const payments = z.object({
  authorizations: z.array(authorization).default([]),
  captures: z.array(capture).default([]),
});

const order = z
  .object({
    id,
    status: z.enum(['CREATED', 'SAVED', 'APPROVED', 'VOIDED', 'COMPLETED', 'PAYER_ACTION_REQUIRED']),
    // We create orders of one unit each.
    purchase_units: z.array(z.object({ payments: payments.nullish() })).default([]),
  })
  .transform(
    (wire): Order => ({
      id: wire.id,
      status: wire.status,
      authorization: wire.purchase_units[0]?.payments?.authorizations.at(-1) ?? null,
      captures: wire.purchase_units[0]?.payments?.captures ?? [],
    }),
  );

export const answers = { order, authorization, capture, refund };

export interface Order {
  readonly id: string;
  readonly status: 'CREATED' | 'SAVED' | 'APPROVED' | 'VOIDED' | 'COMPLETED' | 'PAYER_ACTION_REQUIRED';
  /** The hold, once the order is authorized. */
  readonly authorization: Authorization | null;
  readonly captures: readonly Capture[];
}

export interface Authorization {
  readonly id: string;
  readonly status: 'CREATED' | 'CAPTURED' | 'DENIED' | 'PARTIALLY_CAPTURED' | 'VOIDED' | 'PENDING';
  readonly amount: Money;
  readonly expiresAt: Date | null;
  /** Why it is PENDING or DENIED, in PayPal's words. */
  readonly reason: string | null;
}

export interface Capture {
  readonly id: string;
  readonly status: 'COMPLETED' | 'DECLINED' | 'PARTIALLY_REFUNDED' | 'PENDING' | 'REFUNDED' | 'FAILED';
  readonly amount: Money;
  /** What PayPal keeps of it; null while it is not known. */
  readonly fee: Money | null;
  readonly reason: string | null;
}

export interface PaypalRefund {
  readonly id: string;
  readonly status: 'COMPLETED' | 'PENDING' | 'FAILED' | 'CANCELLED';
  readonly amount: Money;
  readonly reason: string | null;
}
