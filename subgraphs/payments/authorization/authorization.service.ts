import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, HOUR } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { invariant } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { PaymentId } from '../../kernel/id.js';
import type { VaultClient } from '../checkout/payer.client.js';
import { holdWallet, postWallet, voidWallet } from '../ledger/ledger.service.js';
import { releaseLimit } from '../limit/limit.repository.js';
import type { Payment } from '../payment/payment.entity.js';
import { type Legs, lockLegs, rememberOrder, saveLegs } from '../payment/payment.repository.js';
import { mayBeUnderWay } from '../saga/patience.js';
import { sendToReview } from '../saga/review.service.js';
import { backOff, endedBy, movedTo, type Progress } from '../saga/saga.states.js';
import type { Captured, Held, Refused, WalletClient } from '../wallet/wallet.client.js';

/** The wallet keeps our keys for six hours: after that a retry could hold the money twice, so a person looks first. */
const WALLET_KEYS_LAST_MS = 6 * HOUR;

/** The wallet leg of the saga: hold, then capture or give free. */
export class AuthorizationService {
  constructor(
    private readonly em: EntityManager,
    private readonly vaults: VaultClient,
    private readonly wallets: Readonly<Record<WalletProvider, WalletClient>>,
    private readonly now: Clock,
  ) {}

  /** Asks the wallet to hold the whole price. @throws UnavailableError when users cannot say which wallet it is */
  async authorize({ payment, authorization }: Legs): Promise<Progress<Legs>> {
    const keysAreForgotten = this.now().getTime() - payment.createdAt.getTime() > WALLET_KEYS_LAST_MS;
    if (keysAreForgotten && !authorization.orderId)
      return sendToReview(this.em, payment.id, 'WALLET_OUTCOME_UNKNOWN', this.now());
    const vaultReference = await this.vaults.vaultReference(payment.walletId);
    faultPoint('wallet.authorize.before-call');
    const answer = await this.wallets[payment.walletProvider].authorize({
      paymentId: payment.id,
      requestId: authorization.requestId,
      orderId: authorization.orderId ?? null,
      merchantId: payment.merchantId,
      merchantName: payment.merchantName,
      vaultReference,
      amount: payment.sell,
      mayBeUnderWay: mayBeUnderWay(payment.attempt, payment.createdAt, this.now()),
    });
    faultPoint('wallet.authorize.after-call');
    if (answer.outcome === 'YES') return this.compared(payment, answer);
    if (answer.outcome === 'NO') return this.declined(payment.id, answer);
    if (answer.orderId && !authorization.orderId) {
      await rememberOrder(this.em.fork(), payment.id, answer.orderId);
      faultPoint('wallet.order.remembered');
    }
    return backOff(payment.attempt);
  }

  /** Takes the held money. The merchant has been paid, so this is repeated until the wallet's definite word. */
  async capture({ payment, authorization }: Legs): Promise<Progress<never>> {
    const { orderId, authorizationId, requestId } = authorization;
    invariant(orderId && authorizationId, 'captured without a hold (M5)');
    faultPoint('wallet.capture.before-call');
    const answer = await this.wallets[payment.walletProvider].capture({
      paymentId: payment.id,
      requestId,
      orderId,
      authorizationId,
      amount: payment.sell,
    });
    faultPoint('wallet.capture.after-call');
    if (answer.outcome === 'YES')
      return answer.amount.equals(payment.sell)
        ? this.captured(payment.id, answer)
        : sendToReview(this.em, payment.id, 'CAPTURE_AMOUNT_DIFFERS', this.now());
    if (answer.outcome === 'NO') return sendToReview(this.em, payment.id, answer.reason, this.now());
    return backOff(payment.attempt);
  }

  /** Gives the held money free, after the network's definite no. */
  async void({ payment, authorization }: Legs): Promise<Progress<never>> {
    invariant(authorization.authorizationId, 'nothing to give free');
    faultPoint('wallet.void.before-call');
    const answer = await this.wallets[payment.walletProvider].void(authorization.authorizationId);
    faultPoint('wallet.void.after-call');
    if (answer.outcome === 'YES') return this.voided(payment.id);
    if (answer.outcome === 'NO') return sendToReview(this.em, payment.id, 'VOID_REFUSED', this.now());
    return backOff(payment.attempt);
  }

  /** Who holds another amount than was asked for is a person's, who must find what to give free. */
  private async compared(payment: Payment, held: Held): Promise<Progress<Legs>> {
    if (held.amount.equals(payment.sell)) return this.held(payment.id, held);
    await rememberOrder(this.em.fork(), payment.id, held.orderId);
    return sendToReview(this.em, payment.id, 'WALLET_AMOUNT_DIFFERS', this.now());
  }

  private async held(id: PaymentId, held: Held): Promise<Progress<Legs>> {
    const left = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, authorization } = legs;
      if (authorization.status !== 'REQUESTED') return null;
      const now = this.now();
      authorization.held(held.orderId, held.authorizationId, held.expiresAt);
      await saveLegs(em, legs, payment.record('AUTHORIZED', now));
      await holdWallet(em, payment, now);
      faultPoint('payment.held.before-commit');
      return legs;
    });
    faultPoint('payment.held.after-commit');
    return movedTo(left);
  }

  private async declined(id: PaymentId, refusal: Refused): Promise<Progress<never>> {
    const ended = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, authorization, acceptance } = legs;
      if (authorization.status !== 'REQUESTED') return false;
      authorization.declined();
      acceptance.refused();
      payment.declined(refusal.reason);
      await saveLegs(em, legs, payment.record('DECLINED', this.now()));
      await releaseLimit(em, payment);
      faultPoint('payment.declined.before-commit');
      return true;
    });
    faultPoint('payment.declined.after-commit');
    return endedBy(ended);
  }

  private async captured(id: PaymentId, captured: Captured): Promise<Progress<never>> {
    const ended = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, authorization } = legs;
      if (authorization.status !== 'HELD') return false;
      const now = this.now();
      const feeMinor = captured.processorFee?.minor ?? null;
      authorization.captured(captured.captureId, feeMinor);
      payment.completed(now);
      await saveLegs(em, legs, payment.record('COMPLETED', now));
      await postWallet(em, payment, feeMinor, now);
      faultPoint('payment.captured.before-commit');
      return true;
    });
    faultPoint('payment.captured.after-commit');
    return endedBy(ended);
  }

  private async voided(id: PaymentId): Promise<Progress<never>> {
    const ended = await transaction(this.em, async (em) => {
      const legs = await lockLegs(em, id);
      const { payment, authorization } = legs;
      if (authorization.status !== 'HELD') return false;
      const now = this.now();
      authorization.voided();
      payment.failed(payment.reason ?? 'NETWORK_REFUSED');
      await saveLegs(em, legs, payment.record('FAILED', now));
      await voidWallet(em, payment, now);
      await releaseLimit(em, payment);
      faultPoint('payment.voided.before-commit');
      return true;
    });
    faultPoint('payment.voided.after-commit');
    return endedBy(ended);
  }
}
