import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, DAY } from '../../kernel/clock.js';
import { InvalidError, NotFoundError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { PaymentId, RefundId } from '../../kernel/id.js';
import { replayOf } from '../../kernel/idempotency.js';
import { Money } from '../../kernel/money/money.js';
import type { Principal } from '../../kernel/principal.js';
import { readableText } from '../../kernel/text.js';
import { WrongCurrency } from '../checkout/checkout.errors.js';
import { Payment } from '../payment/payment.entity.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { Refund } from './refund.entity.js';
import { RefundExceedsPayment, RefundNotAllowed } from './refund.errors.js';
import { insertRefund, type Refundable, type RefundLegs, readRefundable } from './refund.repository.js';

/** As long as the wallet takes money back; the networks would for a year. */
const WINDOW_MS: Readonly<Record<WalletProvider, number>> = { PAYPAL: 180 * DAY };
/** The networks' rule for one payment. */
const MOST_REFUNDS = 50;
const LONGEST_REASON = 80;
/** Of its idempotency keys, after the merchant's id. */
const SCOPE = ':refundPayment';

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
    private readonly saga: SagaWorker<RefundLegs>,
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
    // Again where something else has happened to the payment meanwhile.
    for (;;) {
      const found = await readRefundable(this.em.fork(), paymentId, SCOPE, idempotencyKey);
      if (!found || !mayRefund(principal, found.legs.payment)) throw new NotFoundError();
      if (!principal.isOperator()) principal.requireScope('refunds:write');
      // The merchant's key, not the member's: two at one counter who retry the same refund mean one.
      const request = { scope: `${found.legs.payment.merchantId}${SCOPE}`, key: idempotencyKey, content };
      const earlier = replayOf(request, found.record);
      if (earlier) return this.earlier(found.legs.payment, earlier.refundId);
      const asked = this.asked(found, said, reason, principal.subject);
      faultPoint('refund.request.before-commit');
      if (!(await insertRefund(this.em.fork(), { ...asked, request, lease: this.saga.lease }))) continue;
      faultPoint('refund.request.after-commit');
      const { refund, payment } = asked;
      this.saga.begin(refund.id, { ...found.legs, payment, refund });
      return { refund, payment };
    }
  }

  /** What became of an earlier request with the same key: whoever repeats it wants it to go on. */
  private async earlier(payment: Payment, id: RefundId): Promise<{ refund: Refund; payment: Payment }> {
    const refund = await this.em.fork().findOneOrFail(Refund, id);
    this.saga.kick(id);
    return { refund, payment };
  }

  private asked(found: Refundable, said: Money | null, reason: string, by: string) {
    const now = this.now();
    const before = found.legs.payment;
    const payment = Object.assign(new Payment(), before);
    const refund = Refund.request(payment, allowed(found, said, now), reason, by, now);
    payment.reserveRefund(refund);
    return { before, payment, refund, event: payment.record('REFUND_REQUESTED', now, refund.id) };
  }
}

function allowed({ legs: { payment }, refunds }: Refundable, said: Money | null, now: Date): Money {
  if (said && said.currency !== payment.buyCurrency) throw new WrongCurrency(payment.buyCurrency);
  if (payment.status !== 'COMPLETED' || !payment.paidAt)
    throw new RefundNotAllowed('NOT_COMPLETED', 'Only a completed payment can be refunded.');
  const windowMs = WINDOW_MS[payment.walletProvider];
  if (now.getTime() - payment.paidAt.getTime() > windowMs)
    throw new RefundNotAllowed('TOO_LATE', `A payment can be refunded for ${windowMs / DAY} days.`);
  const left = payment.buy.minus(payment.refundedBuy);
  const amount = said ?? left;
  if (left.isZero() || amount.isMoreThan(left)) throw new RefundExceedsPayment(left);
  if (refunds >= MOST_REFUNDS)
    throw new RefundNotAllowed('TOO_MANY', `A payment can be refunded at most ${MOST_REFUNDS} times.`);
  return amount;
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
