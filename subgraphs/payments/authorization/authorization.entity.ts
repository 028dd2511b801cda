import { defineEntity, p } from '@mikro-orm/core';
import type { PaymentId } from '../../kernel/id.js';
import { step } from '../../kernel/states.js';
import { type AuthorizationStatus, authorizationTransitions } from './authorization.states.js';

const AuthorizationSchema = defineEntity({
  name: 'Authorization',
  tableName: 'payment_authorization',
  properties: {
    paymentId: p.string().$type<PaymentId>().primary(),
    status: p.string().$type<AuthorizationStatus>(),
    requestId: p.string(),
    orderId: p.string().nullable(),
    authorizationId: p.string().nullable(),
    captureId: p.string().nullable(),
    expiresAt: p.datetime().nullable(),
    processorFeeMinor: p.bigint().nullable(),
  },
});

/** The wallet leg: money held at the payer's wallet, later captured or given free. */
export class Authorization extends AuthorizationSchema.class {
  /** Born with the key that every call to the wallet for this payment is derived from, before the first call. */
  static requested(paymentId: PaymentId): Authorization {
    return Object.assign(new Authorization(), {
      paymentId,
      status: 'REQUESTED' as const,
      requestId: paymentId,
      orderId: null,
      authorizationId: null,
      captureId: null,
      expiresAt: null,
      processorFeeMinor: null,
    });
  }

  held(orderId: string, authorizationId: string, expiresAt: Date | null): void {
    this.become('HELD');
    this.orderId = orderId;
    this.authorizationId = authorizationId;
    this.expiresAt = expiresAt;
  }

  declined(): void {
    this.become('DECLINED');
  }

  captured(captureId: string, processorFeeMinor: bigint | null): void {
    this.become('CAPTURED');
    this.captureId = captureId;
    this.processorFeeMinor = processorFeeMinor;
  }

  voided(): void {
    this.become('VOIDED');
  }

  private become(status: AuthorizationStatus): void {
    this.status = step(authorizationTransitions, this.status, status);
  }
}

AuthorizationSchema.setClass(Authorization);
