import { defineEntity, p } from '@mikro-orm/core';
import type { PaymentEventId, PaymentId, RefundId } from '../../kernel/id.js';
import { isFinal } from '../../kernel/states.js';
import { type PaymentStatus, paymentTransitions } from './payment.states.js';

export const paymentEventTypes = [
  'CONFIRMED',
  'AUTHORIZED',
  'SUBMITTED',
  'PAID',
  'COMPLETED',
  'DECLINED',
  'FAILED',
  'IN_REVIEW',
  'REFUND_REQUESTED',
  'REFUNDED',
  'REFUND_FAILED',
] as const;
export type PaymentEventType = (typeof paymentEventTypes)[number];

const PaymentEventSchema = defineEntity({
  name: 'PaymentEvent',
  tableName: 'payment_event',
  properties: {
    id: p.string().$type<PaymentEventId>().primary(),
    paymentId: p.string().$type<PaymentId>(),
    sequence: p.integer(),
    type: p.string().$type<PaymentEventType>(),
    status: p.string().$type<PaymentStatus>(),
    refundId: p.string().$type<RefundId>().nullable(),
    occurredAt: p.datetime(),
  },
});

/** One thing that happened to a payment, with the status it had then. Never changed. */
export class PaymentEvent extends PaymentEventSchema.class {
  /** Whether the payment had reached a final status: only refunds can follow. */
  isTerminal(): boolean {
    return isFinal(paymentTransitions, this.status);
  }
}

PaymentEventSchema.setClass(PaymentEvent);
