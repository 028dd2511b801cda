import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { invariant } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { RefundId } from '../../kernel/id.js';
import type { Logger } from '../../kernel/telemetry.js';
import { postRefundGiven, postRefundTaken } from '../ledger/ledger.service.js';
import type { NetworkClient, Returned } from '../network/network.client.js';
import { AS_KNOWN } from '../payment/payment.repository.js';
import { askAgain, isAskedElsewhere, mayBeUnderWay } from '../saga/patience.js';
import { backOff, endedBy, movedTo, OVER, type Progress } from '../saga/saga.states.js';
import type { Refused, WalletClient } from '../wallet/wallet.client.js';
import { changeRefund, type RefundChange, type RefundLegs, readRefund } from './refund.repository.js';

const MISSING = { outcome: 'MISSING' } as const;

/** Takes a refund one step further: from the merchant first, by the network; then to the payer, by the wallet. */
export class RefundSaga {
  constructor(
    private readonly em: EntityManager,
    private readonly networks: Readonly<Record<Network, NetworkClient>>,
    private readonly wallets: Readonly<Record<WalletProvider, WalletClient>>,
    private readonly logger: Logger,
    private readonly now: Clock,
  ) {}

  /** @param known what the step before has left, where this follows it at once */
  async advance(id: RefundId, known: RefundLegs | null): Promise<Progress<RefundLegs>> {
    const legs = known ?? (await readRefund(this.em.fork(), id));
    if (legs.refund.legStatus === 'REQUESTED') return this.take(legs);
    if (legs.refund.legStatus === 'TAKEN') return this.give(legs);
    return OVER;
  }

  private async take(legs: RefundLegs): Promise<Progress<RefundLegs>> {
    const { payment, refund, acceptance } = legs;
    const { id, buy, reason, unclearSince } = refund;
    // After a request without a clear answer it is asked what became of it, and only then asked for again.
    const earlier = unclearSince ? await this.find(legs) : MISSING;
    if (earlier.outcome !== 'MISSING') return this.settle(legs, earlier);
    const { transactionId } = acceptance;
    invariant(transactionId, 'a completed payment has a network transaction (M5)');
    faultPoint('network.refund.before-call');
    const answer = await this.networks[payment.network].refund({
      refundId: id,
      transactionId,
      networkMerchantId: payment.networkMerchantId,
      amount: buy,
      total: payment.buy,
      reason,
    });
    faultPoint('network.refund.after-call');
    if (answer.outcome === 'NO' && unclearSince) return this.disbelieve(legs, answer);
    return this.settle(legs, answer);
  }

  /** A no to a repetition says nothing of the first attempt, which may still be on its way. */
  private async disbelieve(legs: RefundLegs, refusal: Refused): Promise<Progress<RefundLegs>> {
    const found = await this.find(legs);
    if (found.outcome !== 'MISSING') return this.settle(legs, found);
    if (mayBeUnderWay(legs.refund, this.now())) return askAgain(legs.refund, this.now());
    return this.refused(legs, refusal);
  }

  private async find({ payment, refund }: RefundLegs): ReturnType<NetworkClient['inquireRefund']> {
    faultPoint('network.inquire-refund.before-call');
    const found = await this.networks[payment.network].inquireRefund(refund.id, payment.networkMerchantId);
    faultPoint('network.inquire-refund.after-call');
    return found;
  }

  private async settle(
    legs: RefundLegs,
    answer: Awaited<ReturnType<NetworkClient['inquireRefund']>>,
  ): Promise<Progress<RefundLegs>> {
    if (answer.outcome === 'YES')
      return answer.amount.equals(legs.refund.buy)
        ? this.taken(legs, answer.networkRefundId)
        : this.doubted(legs, answer);
    if (answer.outcome === 'NO') return this.refused(legs, answer);
    return backOff(legs.refund.attempt);
  }

  /** Another amount was taken than was asked for: nothing may be posted, and no rule can mend it. It stays undecided. */
  private async doubted(legs: RefundLegs, { amount }: Returned): Promise<Progress<RefundLegs>> {
    const { id, buy, attempt, failureReason } = legs.refund;
    if (failureReason === null) {
      await this.change(legs, ({ refund }) => {
        refund.doubted('NETWORK_AMOUNT_DIFFERS');
        return { events: [] };
      });
      this.logger.error({ id, asked: buy.toString(), taken: amount.toString() }, 'a refund took another amount');
    }
    return backOff(attempt);
  }

  private async give(legs: RefundLegs): Promise<Progress<RefundLegs>> {
    const { payment, refund, authorization } = legs;
    const { id, sell } = refund;
    // Less than a minor unit so far: a later refund gives it, because shares are cumulative.
    if (sell.isZero()) return this.given(legs, null);
    const { captureId } = authorization;
    invariant(captureId, 'a completed payment was captured (M5)');
    faultPoint('wallet.refund.before-call');
    const answer = await this.wallets[payment.walletProvider].refund({
      paymentId: payment.id,
      refundId: id,
      captureId,
      amount: sell,
      mayBeUnderWay: mayBeUnderWay(refund, this.now()),
    });
    faultPoint('wallet.refund.after-call');
    if (answer.outcome === 'YES')
      return answer.amount.equals(sell)
        ? this.given(legs, answer.walletRefundId)
        : this.owed(legs, 'WALLET_AMOUNT_DIFFERS');
    if (answer.outcome === 'NO') return this.owed(legs, answer.reason);
    return answer.refused ? askAgain(refund, this.now()) : backOff(refund.attempt);
  }

  private async taken(known: RefundLegs, networkRefundId: string): Promise<Progress<RefundLegs>> {
    const left = await this.change(known, ({ payment, refund }) => {
      refund.taken(networkRefundId);
      faultPoint('refund.taken.before-commit');
      return { events: [], entry: postRefundTaken(payment, refund, this.now(), AS_KNOWN) };
    });
    faultPoint('refund.taken.after-commit');
    if (!left) await this.lookAfterRefusal(known, networkRefundId);
    return movedTo(left);
  }

  /** Another worker had believed a no before: nothing can be written of it any more, and the day's statements show it. */
  private async lookAfterRefusal({ refund: { id } }: RefundLegs, networkRefundId: string): Promise<void> {
    const { refund } = await readRefund(this.em.fork(), id);
    if (refund.legStatus === 'REFUSED')
      this.logger.error({ id, networkRefundId }, 'the network took from the merchant what it had refused to take');
  }

  private async given(known: RefundLegs, walletRefundId: string | null): Promise<Progress<never>> {
    const give = ({ payment, refund }: RefundLegs): RefundChange => {
      const now = this.now();
      refund.given(walletRefundId, now);
      const given = payment.record('REFUNDED', now, refund.id);
      faultPoint('refund.given.before-commit');
      return { events: [given], entry: postRefundGiven(payment, refund, now, AS_KNOWN) };
    };
    const ended = (await this.change(known, give)) ?? (await this.changeOwed(known, give));
    faultPoint('refund.given.after-commit');
    return endedBy(ended !== null);
  }

  /** Another worker had believed a no before, and took for owed what this one's late request has given. */
  private async changeOwed(
    { refund: { id } }: RefundLegs,
    give: (legs: RefundLegs) => RefundChange,
  ): Promise<RefundLegs | null> {
    const legs = await readRefund(this.em.fork(), id);
    return legs.refund.legStatus === 'OWED' ? this.change(legs, give) : null;
  }

  /** The merchant has given it already, so there is no way back: it is owed to the payer, visibly. */
  private async owed(known: RefundLegs, reason: string): Promise<Progress<never>> {
    const ended = await this.change(known, ({ refund }) => {
      refund.owed(reason);
      faultPoint('refund.owed.before-commit');
      return { events: [], byRefusal: true };
    });
    faultPoint('refund.owed.after-commit');
    const { id } = known.refund;
    if (ended) this.logger.error({ id, reason }, 'a refund was taken from the merchant and the wallet refuses it');
    return endedBy(ended !== null);
  }

  private async refused(known: RefundLegs, refusal: Refused): Promise<Progress<never>> {
    const ended = await this.change(known, ({ payment, refund }) => {
      refund.refused(refusal.reason);
      payment.releaseRefund(refund);
      const failed = payment.record('REFUND_FAILED', this.now(), refund.id);
      faultPoint('refund.refused.before-commit');
      return { events: [failed], byRefusal: true };
    });
    faultPoint('refund.refused.after-commit');
    return endedBy(ended !== null);
  }

  /** Again where something else has happened to the payment; not where another worker was faster, or has asked since. */
  private async change(known: RefundLegs, work: (legs: RefundLegs) => RefundChange): Promise<RefundLegs | null> {
    const isStill = ({ refund }: RefundLegs) =>
      refund.legStatus === known.refund.legStatus && !isAskedElsewhere(known.refund, refund);
    for (let legs = known; isStill(legs); legs = await readRefund(this.em.fork(), known.refund.id)) {
      const left = await changeRefund(this.em.fork(), legs, work);
      if (left) return left;
    }
    return null;
  }
}
