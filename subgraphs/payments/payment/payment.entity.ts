import { defineEntity, p } from '@mikro-orm/core';
import { after, MINUTE } from '../../kernel/clock.js';
import { invariant } from '../../kernel/error.js';
import { type CheckoutId, newId, type PaymentId, type RefundId } from '../../kernel/id.js';
import { Money } from '../../kernel/money/money.js';
import type { Principal } from '../../kernel/principal.js';
import { isFinal, step } from '../../kernel/states.js';
import type { Checkout } from '../checkout/checkout.entity.js';
import { purchaseColumns, purchaseOf } from '../checkout/purchase.js';
import { type PaymentStatus, paymentTransitions } from './payment.states.js';
import { PaymentEvent, type PaymentEventType } from './payment-event.entity.js';

/** The payer stands at a counter: a network that was not even asked by then is not asked any more. */
const PATIENCE_MS = 10 * MINUTE;

/** What a merchant's or a partner's token needs to see payments; payers see their own without it. */
export const READ_SCOPE = 'payments:read';

const PaymentSchema = defineEntity({
  name: 'Payment',
  properties: {
    id: p.string().$type<PaymentId>().primary(),
    checkoutId: p.string().$type<CheckoutId>(),
    ...purchaseColumns(),
    refundedBuyMinor: p.bigint(),
    refundedSellMinor: p.bigint(),
    refundedSpreadMinor: p.bigint(),
    refundedFeeMinor: p.bigint(),
    status: p.string().$type<PaymentStatus>(),
    reason: p.string().nullable(),
    eventCount: p.integer(),
    attempt: p.integer(),
    unclearSince: p.datetime().nullable(),
    createdAt: p.datetime(),
    payBy: p.datetime(),
    paidAt: p.datetime().nullable(),
    completedAt: p.datetime().nullable(),
  },
});

/** One confirmed checkout on its way from the payer's wallet to the merchant. */
export class Payment extends PaymentSchema.class {
  static of(checkout: Checkout, now: Date, id: PaymentId = newId('pay', 'us')): Payment {
    return Object.assign(new Payment(), purchaseOf(checkout), {
      id,
      checkoutId: checkout.id,
      refundedBuyMinor: 0n,
      refundedSellMinor: 0n,
      refundedSpreadMinor: 0n,
      refundedFeeMinor: 0n,
      status: 'PROCESSING' as const,
      reason: null,
      eventCount: 0,
      attempt: 0,
      unclearSince: null,
      createdAt: now,
      payBy: after(now, PATIENCE_MS),
      paidAt: null,
      completedAt: null,
    });
  }

  /** What the merchant gets. */
  get buy(): Money {
    return Money.of(this.buyMinor, this.buyCurrency);
  }

  /** What the payer gives, all parts of the price included. */
  get sell(): Money {
    return Money.of(this.sellMinor, this.sellCurrency);
  }

  get refundedBuy(): Money {
    return Money.of(this.refundedBuyMinor, this.buyCurrency);
  }

  /**
   * Why a side said no. What is wrong with a wallet is its payer's business alone, and what an operator reads of a
   * payment in review is not for clients.
   */
  declineReasonFor(principal: Principal): string | null {
    if (this.status === 'FAILED') return this.reason ?? null;
    if (this.status !== 'DECLINED') return null;
    return this.isOfPayer(principal) ? (this.reason ?? null) : 'WALLET_DECLINED';
  }

  isFinal(): boolean {
    return isFinal(paymentTransitions, this.status);
  }

  /** Whether the saga has nothing to do with it any more. */
  isOver(): boolean {
    return this.status === 'IN_REVIEW' || this.isFinal();
  }

  /** Whether this principal may know of the payment at all. */
  isVisibleTo(principal: Principal): boolean {
    if (this.isOfPayer(principal)) return true;
    const isOfBusiness =
      principal.mayActFor(this.merchantId) || this.partnerIds.some((partnerId) => principal.isPartner(partnerId));
    return isOfBusiness && principal.hasScope(READ_SCOPE);
  }

  /** Whether this principal may see what concerns the payer alone. */
  isOfPayer(principal: Principal): boolean {
    return principal.isTraveler(this.travelerId) || principal.isOperator();
  }

  paid(now: Date): void {
    this.become('PAID');
    this.paidAt = now;
  }

  completed(now: Date): void {
    this.become('COMPLETED');
    this.completedAt = now;
  }

  /** @param reason public, SCREAMING_SNAKE */
  declined(reason: string): void {
    this.become('DECLINED');
    this.reason = reason;
  }

  /** @param reason public, SCREAMING_SNAKE */
  failed(reason: string): void {
    this.become('FAILED');
    this.reason = reason;
  }

  /** Neither a rule nor a retry can decide: a person must. @param reason what that person can act on */
  needsReview(reason: string): void {
    this.become('IN_REVIEW');
    this.reason = reason;
  }

  /** Reserves a refund's parts, so that refunds together never exceed the payment (M6). */
  reserveRefund(parts: RefundParts): void {
    invariant(this.status === 'COMPLETED', 'only a completed payment is refunded');
    this.refundedBuyMinor += parts.buyMinor;
    this.refundedSellMinor += parts.sellMinor;
    this.refundedSpreadMinor += parts.spreadMinor;
    this.refundedFeeMinor += parts.feeMinor;
    invariant(this.refundedBuyMinor <= this.buyMinor, 'more refunded than the merchant got (M6)');
    invariant(this.refundedSellMinor <= this.sellMinor, 'more refunded than the payer gave (M6)');
  }

  releaseRefund(parts: RefundParts): void {
    this.refundedBuyMinor -= parts.buyMinor;
    this.refundedSellMinor -= parts.sellMinor;
    this.refundedSpreadMinor -= parts.spreadMinor;
    this.refundedFeeMinor -= parts.feeMinor;
  }

  /** The next event of this payment; its number follows the last one without a gap (M8). */
  record(type: PaymentEventType, now: Date, refundId: RefundId | null = null): PaymentEvent {
    this.eventCount += 1;
    // Something happened: what failed before is behind us.
    this.attempt = 0;
    // These two say nothing of what became of the last request.
    if (type !== 'SUBMITTED' && type !== 'IN_REVIEW') this.unclearSince = null;
    return Object.assign(new PaymentEvent(), {
      id: newId('evt', 'us'),
      paymentId: this.id,
      sequence: this.eventCount,
      type,
      status: this.status,
      refundId,
      occurredAt: now,
    });
  }

  private become(status: PaymentStatus): void {
    this.status = step(paymentTransitions, this.status, status);
  }
}

/** A refund's amounts in minor units: what the merchant gives back, what the payer gets, and the house's share in it. */
export interface RefundParts {
  readonly buyMinor: bigint;
  readonly sellMinor: bigint;
  readonly spreadMinor: bigint;
  readonly feeMinor: bigint;
}

PaymentSchema.setClass(Payment);
