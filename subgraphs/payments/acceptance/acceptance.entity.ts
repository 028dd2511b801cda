import { defineEntity, p } from '@mikro-orm/core';
import type { PaymentId } from '../../kernel/id.js';
import { step } from '../../kernel/states.js';
import { type AcceptanceStatus, acceptanceTransitions } from './acceptance.states.js';

const AcceptanceSchema = defineEntity({
  name: 'Acceptance',
  tableName: 'payment_acceptance',
  properties: {
    paymentId: p.string().$type<PaymentId>().primary(),
    status: p.string().$type<AcceptanceStatus>(),
    requestId: p.string(),
    networkPaymentId: p.string().nullable(),
    transactionId: p.string().nullable(),
    submittedAt: p.datetime().nullable(),
    acceptedAt: p.datetime().nullable(),
  },
});

/** The network leg: whether the merchant's network took the payment. */
export class Acceptance extends AcceptanceSchema.class {
  /** Born with the id under which the network will know it, before the network is asked. */
  static prepared(paymentId: PaymentId): Acceptance {
    return Object.assign(new Acceptance(), {
      paymentId,
      status: 'PREPARED' as const,
      requestId: paymentId,
      networkPaymentId: null,
      transactionId: null,
      submittedAt: null,
      acceptedAt: null,
    });
  }

  submitted(now: Date): void {
    this.become('SUBMITTED');
    this.submittedAt = now;
  }

  accepted(networkPaymentId: string | null, transactionId: string | null, now: Date): void {
    this.become('ACCEPTED');
    this.networkPaymentId = networkPaymentId;
    this.transactionId = transactionId;
    this.acceptedAt = now;
  }

  refused(): void {
    this.become('REFUSED');
  }

  private become(status: AcceptanceStatus): void {
    this.status = step(acceptanceTransitions, this.status, status);
  }
}

AcceptanceSchema.setClass(Acceptance);
