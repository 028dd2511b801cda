import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, HOUR, SECOND } from '../../kernel/clock.js';
import { invariant } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { Network } from '../../kernel/graphql/enums.js';
import { holdNetwork, postNetwork, voidNetwork } from '../ledger/ledger.service.js';
import type { Accepted, InProgress, Missing, NetworkClient } from '../network/network.client.js';
import type { Payment } from '../payment/payment.entity.js';
import { AS_KNOWN, changeLegs, type Legs, readLegs } from '../payment/payment.repository.js';
import { ON_ITS_WAY_MS } from '../saga/patience.js';
import { sendToReview } from '../saga/review.service.js';
import { backOff, MOVED, movedTo, POLL, type Progress } from '../saga/saga.states.js';
import type { Refused, Unknown } from '../wallet/wallet.client.js';
import { submit } from './submission.js';

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

  /** Writes that the network is asked, where that is not written yet, then asks it. */
  async submit(known: Legs): Promise<Progress<Legs>> {
    const left = await changeLegs(this.em.fork(), known, (legs) => {
      const now = this.now();
      const submitted = submit(legs, now);
      return submitted ? { events: [submitted], entry: holdNetwork(legs.payment, now, AS_KNOWN) } : { events: [] };
    });
    return left?.acceptance.status === 'SUBMITTED' ? this.ask(left) : movedTo(left);
  }

  /** Asks the network for the first time. That it is asked must be written. */
  async ask(legs: Legs): Promise<Progress<Legs>> {
    return this.take(legs, await this.pay(legs.payment));
  }

  /** Finds out what became of a payment that the network may have been told of. */
  async inquire(legs: Legs): Promise<Progress<Legs>> {
    const { payment, acceptance } = legs;
    const network = this.networks[payment.network];
    const askedAt = acceptance.submittedAt ?? payment.createdAt;
    const waited = this.now().getTime() - askedAt.getTime();
    faultPoint('network.inquire.before-call');
    const answer = await network.inquire(acceptance.requestId);
    faultPoint('network.inquire.after-call');
    if (answer.outcome === 'IN_PROGRESS' && waited > PAYER_PATIENCE_MS)
      return this.take(legs, await this.cancel(payment, acceptance.requestId));
    if (answer.outcome === 'MISSING') return this.missing(legs);
    if (answer.outcome === 'UNKNOWN' && waited > UNKNOWN_FOR_LONG_MS && payment.attempt > MANY_ATTEMPTS)
      return sendToReview(this.em, payment.id, 'NETWORK_OUTCOME_UNKNOWN', this.now());
    return this.take(legs, answer);
  }

  /**
   * Our request never arrived, it seems; or it is still on its way. Repeating it under its own id is safe. A no to the
   * repetition is not believed: the first one may still succeed, unless the network has agreed to forget it.
   */
  private async missing(legs: Legs): Promise<Progress<Legs>> {
    const { payment, acceptance } = legs;
    const late = this.now().getTime() - payment.payBy.getTime();
    if (late < 0) {
      const again = await this.pay(payment);
      if (again.outcome !== 'NO') return this.take(legs, again);
    }
    const answer = await this.cancel(payment, acceptance.requestId);
    if (answer.outcome === 'MISSING' && late > ON_ITS_WAY_MS)
      return this.refused(legs, { outcome: 'NO', reason: 'TIMED_OUT', code: 'MISSING' });
    return this.take(legs, answer);
  }

  private async take(legs: Legs, answer: Answer): Promise<Progress<Legs>> {
    switch (answer.outcome) {
      case 'YES':
        return this.compared(legs, answer);
      case 'NO':
        return this.refused(legs, answer);
      case 'IN_PROGRESS':
        return POLL;
      case 'MISSING':
      case 'UNKNOWN':
        return backOff(legs.payment.attempt);
    }
  }

  /** A payment to another merchant, or of another amount, is nobody's to decide but a person's. */
  private async compared(legs: Legs, answer: Accepted): Promise<Progress<Legs>> {
    const { payment } = legs;
    if (answer.networkMerchantId !== payment.networkMerchantId)
      return sendToReview(this.em, payment.id, 'NETWORK_MERCHANT_DIFFERS', this.now());
    if (!answer.amount.equals(payment.buy))
      return sendToReview(this.em, payment.id, 'NETWORK_AMOUNT_DIFFERS', this.now());
    return this.accepted(legs, answer);
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

  private async accepted(known: Legs, answer: Accepted): Promise<Progress<Legs>> {
    const left = await changeLegs(this.em.fork(), known, ({ payment, acceptance }) => {
      const now = this.now();
      acceptance.accepted(answer.networkPaymentId, answer.transactionId, now);
      payment.paid(now);
      const paid = payment.record('PAID', now);
      faultPoint('payment.accepted.before-commit');
      return { events: [paid], entry: postNetwork(payment, now, AS_KNOWN) };
    });
    faultPoint('payment.accepted.after-commit');
    return left ? movedTo(left) : this.overtaken(known);
  }

  /** Somebody has heard another answer before: a no after which there is a yes is a person's, or the operators' log's. */
  private async overtaken({ payment: { id } }: Legs): Promise<Progress<never>> {
    const { payment, acceptance } = await readLegs(this.em.fork(), id);
    if (acceptance.status !== 'REFUSED') return MOVED;
    invariant(!payment.isOver(), 'the network has paid what it had refused, and the hold is free (M10)');
    return sendToReview(this.em, id, 'PAID_AFTER_REFUSAL', this.now());
  }

  private async refused(known: Legs, answer: Refused): Promise<Progress<Legs>> {
    const left = await changeLegs(this.em.fork(), known, ({ payment, acceptance }) => {
      acceptance.refused();
      payment.reason = answer.reason;
      payment.attempt = 0;
      payment.unclearSince = null;
      faultPoint('payment.refused.before-commit');
      return { events: [], entry: voidNetwork(payment, this.now(), AS_KNOWN), byRefusal: true };
    });
    faultPoint('payment.refused.after-commit');
    return movedTo(left);
  }
}
