import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { invariant } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { RefundId } from '../../kernel/id.js';
import type { Logger } from '../../kernel/telemetry.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { book } from '../ledger/ledger.repository.js';
import { postRefundGiven, postRefundTaken } from '../ledger/ledger.service.js';
import type { NetworkClient, Returned } from '../network/network.client.js';
import { Payment } from '../payment/payment.entity.js';
import { lockPayment } from '../payment/payment.repository.js';
import { announce } from '../payment/payment-event.repository.js';
import { isAskedElsewhere, mayBeUnderWay } from '../saga/patience.js';
import { backOff, MOVED, OVER, type Progress } from '../saga/saga.states.js';
import type { Refused, WalletClient } from '../wallet/wallet.client.js';
import { Refund } from './refund.entity.js';

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

  async advance(id: RefundId): Promise<Progress<never>> {
    const em = this.em.fork();
    const refund = await em.findOneOrFail(Refund, id);
    const payment = await em.findOneOrFail(Payment, refund.paymentId);
    if (refund.legStatus === 'REQUESTED') return this.take(em, payment, refund);
    if (refund.legStatus === 'TAKEN') return this.give(em, payment, refund);
    return OVER;
  }

  private async take(em: EntityManager, payment: Payment, refund: Refund): Promise<Progress<never>> {
    const network = this.networks[payment.network];
    const { id, buy, reason, unclearSince } = refund;
    // After a request without a clear answer it is asked what became of it, and only then asked for again.
    const earlier = unclearSince ? await this.find(payment, refund) : MISSING;
    if (earlier.outcome !== 'MISSING') return this.settle(refund, earlier);
    const { transactionId } = await em.findOneOrFail(Acceptance, payment.id);
    invariant(transactionId, 'a completed payment has a network transaction (M5)');
    faultPoint('network.refund.before-call');
    const answer = await network.refund({
      refundId: id,
      transactionId,
      networkMerchantId: payment.networkMerchantId,
      amount: buy,
      total: payment.buy,
      reason,
    });
    faultPoint('network.refund.after-call');
    if (answer.outcome === 'NO' && unclearSince) return this.disbelieve(payment, refund, answer);
    return this.settle(refund, answer);
  }

  /** A no to a repetition says nothing of the first attempt, which may still be on its way. */
  private async disbelieve(payment: Payment, refund: Refund, refusal: Refused): Promise<Progress<never>> {
    const found = await this.find(payment, refund);
    if (found.outcome !== 'MISSING') return this.settle(refund, found);
    if (mayBeUnderWay(refund, this.now())) return backOff(refund.attempt, false);
    return this.refused(refund, refusal);
  }

  private async find(payment: Payment, refund: Refund): ReturnType<NetworkClient['inquireRefund']> {
    faultPoint('network.inquire-refund.before-call');
    const found = await this.networks[payment.network].inquireRefund(refund.id, payment.networkMerchantId);
    faultPoint('network.inquire-refund.after-call');
    return found;
  }

  private async settle(
    refund: Refund,
    answer: Awaited<ReturnType<NetworkClient['inquireRefund']>>,
  ): Promise<Progress<never>> {
    const { id, buy, attempt } = refund;
    if (answer.outcome === 'YES')
      return answer.amount.equals(buy) ? this.taken(id, answer.networkRefundId) : this.doubted(refund, answer);
    if (answer.outcome === 'NO') return this.refused(refund, answer);
    return backOff(attempt);
  }

  /** Another amount was taken than was asked for: nothing may be posted, and no rule can mend it. It stays undecided. */
  private async doubted(refund: Refund, { amount }: Returned): Promise<Progress<never>> {
    const { id, buy, attempt } = refund;
    if (refund.failureReason === null) {
      await this.change(id, 'REQUESTED', async (_em, _payment, locked) => locked.doubted('NETWORK_AMOUNT_DIFFERS'));
      this.logger.error({ id, asked: buy.toString(), taken: amount.toString() }, 'a refund took another amount');
    }
    return backOff(attempt);
  }

  private async give(em: EntityManager, payment: Payment, refund: Refund): Promise<Progress<never>> {
    const { id, sell } = refund;
    // Less than a minor unit so far: a later refund gives it, because shares are cumulative.
    if (sell.isZero()) return this.given(id, null);
    const { captureId } = await em.findOneOrFail(Authorization, payment.id);
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
        ? this.given(id, answer.walletRefundId)
        : this.owed(refund, 'WALLET_AMOUNT_DIFFERS');
    if (answer.outcome === 'NO') return this.owed(refund, answer.reason);
    return backOff(refund.attempt, !answer.refused);
  }

  private async taken(id: RefundId, networkRefundId: string): Promise<Progress<never>> {
    await this.change(id, 'REQUESTED', async (em, payment, refund, now) => {
      refund.taken(networkRefundId);
      await book(em, postRefundTaken(payment, refund, now));
      faultPoint('refund.taken.before-commit');
    });
    faultPoint('refund.taken.after-commit');
    return MOVED;
  }

  private async given(id: RefundId, walletRefundId: string | null): Promise<Progress<never>> {
    await this.change(id, 'TAKEN', async (em, payment, refund, now) => {
      refund.given(walletRefundId, now);
      await book(em, postRefundGiven(payment, refund, now));
      await announce(em, payment, payment.record('REFUNDED', now, id));
      faultPoint('refund.given.before-commit');
    });
    faultPoint('refund.given.after-commit');
    return OVER;
  }

  /** The merchant has given it already, so there is no way back: it is owed to the payer, visibly. */
  private async owed(read: Refund, reason: string): Promise<Progress<never>> {
    const { id } = read;
    await this.change(id, 'TAKEN', async (_em, _payment, refund) => {
      if (isAskedElsewhere(read, refund)) return;
      refund.owed(reason);
      faultPoint('refund.owed.before-commit');
    });
    faultPoint('refund.owed.after-commit');
    this.logger.error({ id, reason }, 'a refund was taken from the merchant and the wallet refuses it');
    return OVER;
  }

  private async refused(read: Refund, refusal: Refused): Promise<Progress<never>> {
    const { id } = read;
    await this.change(id, 'REQUESTED', async (em, payment, refund, now) => {
      if (isAskedElsewhere(read, refund)) return;
      refund.refused(refusal.reason);
      payment.releaseRefund(refund);
      await announce(em, payment, payment.record('REFUND_FAILED', now, id));
      faultPoint('refund.refused.before-commit');
    });
    faultPoint('refund.refused.after-commit');
    return OVER;
  }

  /** Locks payment, then refund (everywhere in this order), and changes them if nobody did so before. */
  private async change(
    id: RefundId,
    expected: Refund['legStatus'],
    work: (em: EntityManager, payment: Payment, refund: Refund, now: Date) => Promise<void>,
  ): Promise<void> {
    await transaction(this.em, async (em) => {
      const { paymentId } = await em.findOneOrFail(Refund, id, { fields: ['paymentId'] });
      const payment = await lockPayment(em, paymentId);
      const refund = await em.findOneOrFail(Refund, id, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
      if (refund.legStatus === expected) await work(em, payment, refund, this.now());
    });
  }
}
