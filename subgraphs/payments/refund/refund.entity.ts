import { defineEntity, p } from '@mikro-orm/core';
import { newId, type PaymentId, type RefundId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import { step } from '../../kernel/states.js';
import type { Payment, RefundParts } from '../payment/payment.entity.js';
import { type RefundLegStatus, type RefundStatus, refundLegTransitions, refundTransitions } from './refund.states.js';

const RefundSchema = defineEntity({
  name: 'Refund',
  properties: {
    id: p.string().$type<RefundId>().primary(),
    paymentId: p.string().$type<PaymentId>(),
    reason: p.string(),
    requestedBy: p.string(),
    buyMinor: p.bigint(),
    buyCurrency: p.string().$type<Currency>(),
    sellMinor: p.bigint(),
    sellCurrency: p.string().$type<Currency>(),
    spreadMinor: p.bigint(),
    feeMinor: p.bigint(),
    status: p.string().$type<RefundStatus>(),
    legStatus: p.string().$type<RefundLegStatus>(),
    failureReason: p.string().nullable(),
    networkRefundId: p.string().nullable(),
    walletRefundId: p.string().nullable(),
    attempt: p.integer(),
    unclearSince: p.datetime().nullable(),
    createdAt: p.datetime(),
    completedAt: p.datetime().nullable(),
  },
});

/** Money given back after capture, at the payment's own rate: first from the merchant, then to the payer. */
export class Refund extends RefundSchema.class {
  /** @param buy what the merchant gives back: at most what is left of the payment */
  static request(payment: Payment, buy: Money, reason: string, requestedBy: string, now: Date): Refund {
    const parts = refundParts(payment, buy);
    return Object.assign(new Refund(), parts, {
      id: newId('ref', 'us'),
      paymentId: payment.id,
      reason,
      requestedBy,
      buyCurrency: payment.buyCurrency,
      sellCurrency: payment.sellCurrency,
      status: 'PROCESSING' as const,
      legStatus: 'REQUESTED' as const,
      failureReason: null,
      networkRefundId: null,
      walletRefundId: null,
      attempt: 0,
      unclearSince: null,
      createdAt: now,
      completedAt: null,
    });
  }

  get buy(): Money {
    return Money.of(this.buyMinor, this.buyCurrency);
  }

  /** What the payer gets back; zero for a few fen, which a later refund makes up for. */
  get sell(): Money {
    return Money.of(this.sellMinor, this.sellCurrency);
  }

  /** Whether the saga has nothing to do with it any more. */
  isOver(): boolean {
    return this.legStatus !== 'REQUESTED' && this.legStatus !== 'TAKEN';
  }

  taken(networkRefundId: string): void {
    this.legStatus = step(refundLegTransitions, this.legStatus, 'TAKEN');
    this.networkRefundId = networkRefundId;
    this.failureReason = null;
    this.attempt = 0;
    this.unclearSince = null;
  }

  /** @param walletRefundId null when there was nothing to give */
  given(walletRefundId: string | null, now: Date): void {
    this.legStatus = step(refundLegTransitions, this.legStatus, 'GIVEN');
    this.status = step(refundTransitions, this.status, 'COMPLETED');
    this.walletRefundId = walletRefundId;
    this.completedAt = now;
    this.failureReason = null;
  }

  /** Not over, but nothing that can go on by itself. @param failureReason public, SCREAMING_SNAKE */
  doubted(failureReason: string): void {
    this.failureReason = failureReason;
  }

  /** @param failureReason public, SCREAMING_SNAKE */
  owed(failureReason: string): void {
    this.legStatus = step(refundLegTransitions, this.legStatus, 'OWED');
    this.failureReason = failureReason;
  }

  /** @param failureReason public, SCREAMING_SNAKE */
  refused(failureReason: string): void {
    this.legStatus = step(refundLegTransitions, this.legStatus, 'REFUSED');
    this.status = step(refundTransitions, this.status, 'FAILED');
    this.failureReason = failureReason;
  }
}

RefundSchema.setClass(Refund);

/**
 * The parts of the next refund: each is its share of all refunds so far, this one included, less what was given
 * before. So many small refunds add up to the payment exactly, and the last one gives the exact rest.
 */
export function refundParts(payment: Payment, buy: Money): RefundParts {
  const soFar = payment.refundedBuyMinor + buy.minor;
  const next = (whole: bigint, given: bigint): bigint => {
    const due = Money.of(whole, payment.sellCurrency).share(soFar, payment.buyMinor).minor - given;
    // After a failed refund in between, the rounding of an earlier one may already have given this cent.
    return due > 0n ? due : 0n;
  };
  return {
    buyMinor: buy.minor,
    sellMinor: next(payment.sellMinor, payment.refundedSellMinor),
    spreadMinor: next(payment.spreadMinor, payment.refundedSpreadMinor),
    feeMinor: next(payment.feeMinor, payment.refundedFeeMinor),
  };
}
