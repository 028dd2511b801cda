import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { DomainError, NotFoundError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import { type CheckoutId, newId, type PaymentId, type TravelerId } from '../../kernel/id.js';
import type { IdempotentRequest } from '../../kernel/idempotency.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { isBeyondLimit, requireWithinPayment } from '../limit/limit.repository.js';
import { Payment } from '../payment/payment.entity.js';
import type { Legs } from '../payment/payment.repository.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { Checkout } from './checkout.entity.js';
import { CheckoutAlreadyConfirmed, SpendingLimitExceeded } from './checkout.errors.js';
import { paymentOf } from './checkout.repository.js';
import type { CodeClient } from './code.client.js';
import { confirmCheckout, readToConfirm } from './confirmation.repository.js';
import type { PayerClient } from './payer.client.js';

export interface ConfirmCheckout {
  readonly travelerId: TravelerId;
  readonly checkoutId: CheckoutId;
  readonly idempotencyKey: string;
}

/** From a price that a traveler accepts to a payment that is under way. */
export class ConfirmationService {
  constructor(
    private readonly em: EntityManager,
    private readonly codes: CodeClient,
    private readonly payers: PayerClient,
    private readonly saga: SagaWorker<Legs>,
    private readonly now: Clock,
  ) {}

  /**
   * Turns an open checkout into a payment, once. The wallet is asked afterwards, by the saga.
   * @throws NotFoundError, CheckoutExpired, CheckoutCancelled, CheckoutAlreadyConfirmed, QuoteExpired,
   *   SpendingLimitExceeded, IdempotencyKeyReused, CODE_EXPIRED, INVALID_CODE, WALLET_NOT_USABLE, MARKET_NOT_LIVE,
   *   SUBGRAPH_UNAVAILABLE
   */
  async confirm({ travelerId, checkoutId, idempotencyKey }: ConfirmCheckout): Promise<Payment> {
    const request = { scope: `${travelerId}:confirmCheckout`, key: idempotencyKey, content: { checkoutId } };
    let isAsked = false;
    // Again where the checkout changes under our hands, and then its price at most once more.
    for (;;) {
      const found = await readToConfirm(this.em.fork(), checkoutId, travelerId, request);
      if (!found) throw new NotFoundError();
      const { checkout, earlier } = found;
      if (earlier) return this.earlier(earlier.paymentId);
      if (!isAsked) await this.requireStillPossible(checkout);
      isAsked = true;
      const legs = await this.confirmAsRead(checkout, request);
      if (!legs) continue;
      faultPoint('checkout.confirm.after-commit');
      this.saga.begin(legs.payment.id, legs);
      return legs.payment;
    }
  }

  /** The payment of an earlier request with the same key: whoever repeats it wants it to go on. */
  private async earlier(id: PaymentId): Promise<Payment> {
    const payment = await this.em.fork().findOneOrFail(Payment, id);
    this.saga.kick(id);
    return payment;
  }

  /** @returns null where the checkout is not any more what it was, or a request with the same key came first */
  private async confirmAsRead(before: Checkout, request: IdempotentRequest): Promise<Legs | null> {
    // Payments are listed by their ids, and are as old as those say.
    const [id, begunAt] = [newId('pay', 'us'), this.now()];
    if (before.status === 'CONFIRMED') throw new CheckoutAlreadyConfirmed(await paymentOf(this.em.fork(), before.id));
    const after = Object.assign(new Checkout(), before);
    after.confirm(begunAt);
    requireWithinPayment(after);
    const payment = Payment.of(after, begunAt, id);
    const legs = { payment, authorization: Authorization.requested(id), acceptance: Acceptance.prepared(id) };
    const event = payment.record('CONFIRMED', begunAt);
    faultPoint('checkout.confirm.before-commit');
    try {
      const written = await confirmCheckout(this.em.fork(), {
        ...{ before, after, legs, event, request },
        lease: this.saga.lease,
      });
      return written ? legs : null;
    } catch (thrown) {
      if (isBeyondLimit(thrown)) throw new SpendingLimitExceeded('YEAR', before.perYearLimit);
      throw thrown;
    }
  }

  /** The wallet, its market or the code may have been closed since the checkout began. */
  private async requireStillPossible(checkout: Checkout): Promise<void> {
    const { travelerId, walletId, merchantId, network, countryCode, codePayload } = checkout;
    // What is not open any more is refused for that reason, under lock.
    if (checkout.statusAt(this.now()) !== 'OPEN') return;
    await Promise.all([
      this.payers.payer({ travelerId, walletId, merchantId, network, countryCode }),
      this.requirePayable(codePayload),
    ]);
  }

  /**
   * A code that was paid, cancelled or forgotten meanwhile is refused here, before any money is held. Where nobody can
   * tell just now the payment goes on: the network has the last word anyway, and asks for it only once.
   */
  private async requirePayable(payload: string): Promise<void> {
    try {
      await this.codes.resolve(payload);
    } catch (thrown) {
      if (!(thrown instanceof DomainError) || !thrown.transient) throw thrown;
    }
  }
}
