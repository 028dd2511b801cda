import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, HOUR, SECOND } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { faultPoint } from '../../kernel/fault.js';
import type { Network } from '../../kernel/graphql/enums.js';
import type { PaymentId } from '../../kernel/id.js';
import { holdNetwork, postNetwork, voidNetwork } from '../ledger/ledger.service.js';
import type { Accepted, InProgress, Missing, NetworkClient } from '../network/network.client.js';
import type { Payment } from '../payment/payment.entity.js';
import { type Legs, lockLegs, saveLegs } from '../payment/payment.repository.js';
import { ON_ITS_WAY_MS } from '../saga/patience.js';
import { contradict, sendToReview } from '../saga/review.service.js';
import { backOff, MOVED, movedTo, POLL, type Progress } from '../saga/saga.states.js';
import type { Refused, Unknown } from '../wallet/wallet.client.js';

/** How long a payer may type a password before the network is asked to give up. */
const PAYER_PATIENCE_MS = 90 * SECOND;
/** Unknown for longer than this, it is a person's work. */
const UNKNOWN_FOR_LONG_MS = 24 * HOUR;
/** The clock alone proves nothing: we may have been off ourselves. */
const MANY_ATTEMPTS = 10;

type Answer = Accepted | Refused | InProgress | Missing | Unknown;

/** The network leg of the saga: ask once, then only listen and query until there is a definite answer. */
export class AcceptanceService {
  constructor(
    private readonly em: EntityManager,
    private readonly networks: Readonly<Record<Network, NetworkClient>>,
    private readonly now: Clock,
  ) {}

  /** Writes that the network is asked, then asks it. */
  async submit({ payment }: Legs): Promise<Progress<Legs>> {
    const asked = await this.markSubmitted(payment.id);
    return asked ? this.take(payment, await this.pay(payment)) : MOVED;
  }

  /** Finds out what became of a payment that the network may have been told of. */
  async inquire({ payment, acceptance }: Legs): Promise<Progress<Legs>> {
    const network = this.networks[payment.network];
    const askedAt = acceptance.submittedAt ?? payment.createdAt;
    const waited = this.now().getTime() - askedAt.getTime();
    faultPoint('network.inquire.before-call');
    const answer = await network.inquire(acceptance.requestId);
    faultPoint('network.inquire.after-call');
    if (answer.outcome === 'IN_PROGRESS' && waited > PAYER_PATIENCE_MS)
      return this.take(payment, await this.cancel(payment, acceptance.requestId));
    if (answer.outcome === 'MISSING') return this.missing(payment, acceptance.requestId);
    if (answer.outcome === 'UNKNOWN' && waited > UNKNOWN_FOR_LONG_MS && payment.attempt > MANY_ATTEMPTS)
      return sendToReview(this.em, payment.id, 'NETWORK_OUTCOME_UNKNOWN', this.now());
    return this.take(payment, answer);
  }

  /**
   * Our request never arrived, it seems; or it is still on its way. Repeating it under its own id is safe. A no to the
   * repetition is not believed: the first one may still succeed, unless the network has agreed to forget it.
   */
  private async missing(payment: Payment, requestId: string): Promise<Progress<Legs>> {
    const late = this.now().getTime() - payment.payBy.getTime();
    if (late < 0) {
      const again = await this.pay(payment);
      if (again.outcome !== 'NO') return this.take(payment, again);
    }
    const answer = await this.cancel(payment, requestId);
    if (answer.outcome === 'MISSING' && late > ON_ITS_WAY_MS)
      return this.refused(payment.id, { outcome: 'NO', reason: 'TIMED_OUT', code: 'MISSING' });
    return this.take(payment, answer);
  }

  private async take(payment: Payment, answer: Answer): Promise<Progress<Legs>> {
    switch (answer.outcome) {
      case 'YES':
        return this.compared(payment, answer);
      case 'NO':
        return this.refused(payment.id, answer);
      case 'IN_PROGRESS':
        return POLL;
      case 'MISSING':
      case 'UNKNOWN':
        return backOff(payment.attempt);
    }
  }

  /** A payment to another merchant, or of another amount, is nobody's to decide but a person's. */
  private async compared(payment: Payment, answer: Accepted): Promise<Progress<Legs>> {
    if (answer.networkMerchantId !== payment.networkMerchantId)
      return sendToReview(this.em, payment.id, 'NETWORK_MERCHANT_DIFFERS', this.now());
    if (!answer.amount.equals(payment.buy))
      return sendToReview(this.em, payment.id, 'NETWORK_AMOUNT_DIFFERS', this.now());
    return this.accepted(payment.id, answer);
  }

  private async pay(payment: Payment): Promise<Accepted | Refused | InProgress | Unknown> {
    faultPoint('network.pay.before-call');
    const answer = await this.networks[payment.network].pay({
      requestId: payment.id,
      paymentId: payment.id,
      payerToken: payment.travelerId,
      codePayload: payment.codePayload,
      amount: payment.buy,
      payBy: payment.payBy,
    });
    faultPoint('network.pay.after-call');
    return answer;
  }

  private async cancel(payment: Payment, requestId: string): Promise<Answer> {
    faultPoint('network.cancel.before-call');
    const answer = await this.networks[payment.network].cancel(requestId);
    faultPoint('network.cancel.after-call');
    return answer;
  }

  /** @returns whether the network is to be asked now */
  private async markSubmitted(id: PaymentId): Promise<boolean> {
    const asked = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, acceptance } = legs;
      if (acceptance.status !== 'PREPARED') return false;
      const now = this.now();
      if (now >= payment.payBy) {
        acceptance.refused();
        payment.reason = 'TIMED_OUT';
        await saveLegs(em, legs, null);
        return false;
      }
      acceptance.submitted(now);
      await saveLegs(em, legs, payment.record('SUBMITTED', now));
      await holdNetwork(em, payment, now);
      faultPoint('payment.submitted.before-commit');
      return true;
    });
    faultPoint('payment.submitted.after-commit');
    return asked;
  }

  private async accepted(id: PaymentId, answer: Accepted): Promise<Progress<Legs>> {
    const left = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, acceptance } = legs;
      const now = this.now();
      if (acceptance.status === 'REFUSED') await saveLegs(em, legs, contradict(payment, 'PAID_AFTER_REFUSAL', now));
      if (acceptance.status !== 'SUBMITTED') return null;
      acceptance.accepted(answer.networkPaymentId, answer.transactionId, now);
      payment.paid(now);
      await saveLegs(em, legs, payment.record('PAID', now));
      await postNetwork(em, payment, now);
      faultPoint('payment.accepted.before-commit');
      return legs;
    });
    faultPoint('payment.accepted.after-commit');
    return movedTo(left);
  }

  private async refused(id: PaymentId, answer: Refused): Promise<Progress<Legs>> {
    const left = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, acceptance } = legs;
      if (acceptance.status !== 'SUBMITTED') return null;
      acceptance.refused();
      payment.reason = answer.reason;
      payment.attempt = 0;
      await saveLegs(em, legs, null);
      await voidNetwork(em, payment, this.now());
      faultPoint('payment.refused.before-commit');
      return legs;
    });
    faultPoint('payment.refused.after-commit');
    return movedTo(left);
  }
}
