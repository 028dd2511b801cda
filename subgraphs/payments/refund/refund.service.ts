import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, DAY } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { InvalidError, NotFoundError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { PaymentId, RefundId } from '../../kernel/id.js';
import { once } from '../../kernel/idempotency.js';
import { Money } from '../../kernel/money/money.js';
import type { Principal } from '../../kernel/principal.js';
import { readableText } from '../../kernel/text.js';
import { WrongCurrency } from '../checkout/checkout.errors.js';
import { Payment } from '../payment/payment.entity.js';
import { announce } from '../payment/payment-event.repository.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { Refund } from './refund.entity.js';
import { RefundExceedsPayment, RefundNotAllowed } from './refund.errors.js';

/** As long as the wallet takes money back; the networks would for a year. */
const WINDOW_MS: Readonly<Record<WalletProvider, number>> = { PAYPAL: 180 * DAY };
/** The networks' rule for one payment. */
const MOST_REFUNDS = 50;
const LONGEST_REASON = 80;

export interface RequestRefund {
  readonly paymentId: PaymentId;
  /** What the merchant gives back, in its currency; all that is left when null. */
  readonly amount: { readonly amount: string; readonly currencyCode: string } | null;
  readonly reason: string;
  readonly idempotencyKey: string;
}

/** Giving money back: partly, often, at the payment's own rate, never more than was paid. */
export class RefundService {
  constructor(
    private readonly em: EntityManager,
    private readonly saga: SagaWorker,
    private readonly now: Clock,
  ) {}

  /**
   * Reserves and records a refund; the network and the wallet are asked afterwards, by the saga.
   * @throws NotFoundError, ForbiddenError without the scope refunds:write, InvalidError INVALID_MONEY, INVALID_REASON, WrongCurrency, RefundNotAllowed,
   *   RefundExceedsPayment, IdempotencyKeyReused
   */
  async request(principal: Principal, command: RequestRefund): Promise<{ refund: Refund; payment: Payment }> {
    const { paymentId, idempotencyKey } = command;
    const said = command.amount && Money.parsePositive(command.amount.amount, command.amount.currencyCode);
    const reason = reasonOf(command.reason);
    const content = { paymentId, amount: said?.toString() ?? null, reason };
    const outcome = await transaction(this.em, async (em) => {
      const payment = await em.findOne(Payment, paymentId, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!payment || !mayRefund(principal, payment)) throw new NotFoundError();
      if (!principal.isOperator()) principal.requireScope('refunds:write');
      // The merchant's key, not the member's: two at one counter who retry the same refund mean one.
      const request = { scope: `${payment.merchantId}:refundPayment`, key: idempotencyKey, content };
      const { result } = await once<{ refundId: RefundId }>(em, request, async () => ({
        refundId: await this.requestLocked(em, payment, said, reason, principal.subject),
      }));
      return { payment, refund: await em.findOneOrFail(Refund, result.refundId) };
    });
    faultPoint('refund.request.after-commit');
    this.saga.kick(outcome.refund.id);
    return outcome;
  }

  private async requestLocked(
    em: EntityManager,
    payment: Payment,
    said: Money | null,
    reason: string,
    requestedBy: string,
  ): Promise<RefundId> {
    const now = this.now();
    const amount = await this.allowed(em, payment, said, now);
    const refund = Refund.request(payment, amount, reason, requestedBy, now);
    payment.reserveRefund(refund);
    em.persist(refund);
    await em.flush();
    await announce(em, payment, payment.record('REFUND_REQUESTED', now, refund.id));
    faultPoint('refund.request.before-commit');
    return refund.id;
  }

  private async allowed(em: EntityManager, payment: Payment, said: Money | null, now: Date): Promise<Money> {
    if (said && said.currency !== payment.buyCurrency) throw new WrongCurrency(payment.buyCurrency);
    if (payment.status !== 'COMPLETED' || !payment.paidAt)
      throw new RefundNotAllowed('NOT_COMPLETED', 'Only a completed payment can be refunded.');
    const windowMs = WINDOW_MS[payment.walletProvider];
    if (now.getTime() - payment.paidAt.getTime() > windowMs)
      throw new RefundNotAllowed('TOO_LATE', `A payment can be refunded for ${windowMs / DAY} days.`);
    const left = payment.buy.minus(payment.refundedBuy);
    const amount = said ?? left;
    if (left.isZero() || amount.isMoreThan(left)) throw new RefundExceedsPayment(left);
    if ((await em.count(Refund, { paymentId: payment.id, status: { $ne: 'FAILED' } })) >= MOST_REFUNDS)
      throw new RefundNotAllowed('TOO_MANY', `A payment can be refunded at most ${MOST_REFUNDS} times.`);
    return amount;
  }
}

function mayRefund(principal: Principal, payment: Payment): boolean {
  return principal.mayActFor(payment.merchantId) || principal.isOperator();
}

/** @throws InvalidError INVALID_REASON */
function reasonOf(text: string): string {
  const reason = readableText(text, LONGEST_REASON);
  if (!reason) throw new InvalidError('INVALID_REASON', `A reason has 1 to ${LONGEST_REASON} printable characters.`);
  return reason;
}
