import type { EntityManager } from '@mikro-orm/postgresql';
import { type Clock, HOUR, sleep } from '../../kernel/clock.js';
import { InvariantViolation, invariant } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import { submit } from '../acceptance/submission.js';
import type { VaultClient } from '../checkout/payer.client.js';
import { holdBoth, holdWallet, postWallet, voidWallet } from '../ledger/ledger.service.js';
import { release } from '../limit/limit.repository.js';
import { AS_KNOWN, changeLegs, type Legs, readLegs, rememberOrder } from '../payment/payment.repository.js';
import { askAgain, mayBeUnderWay } from '../saga/patience.js';
import { sendToReview } from '../saga/review.service.js';
import { backOff, endedBy, MOVED, movedTo, type Progress } from '../saga/saga.states.js';
import type { Captured, Held, Refused, WalletClient } from '../wallet/wallet.client.js';

/** The wallet keeps our keys for six hours: after that a retry could hold the money twice, so a person looks first. */
const WALLET_KEYS_LAST_MS = 6 * HOUR;

/** Nothing is written of such a hold: what is not given free within a quarter of a minute is told to the operators. */
const VOIDS_OF_NOBODYS = 6;

/** The wallet leg of the saga: hold, then capture or give free. */
export class AuthorizationService {
  constructor(
    private readonly em: EntityManager,
    private readonly vaults: VaultClient,
    private readonly wallets: Readonly<Record<WalletProvider, WalletClient>>,
    private readonly now: Clock,
  ) {}

  /** Asks the wallet to hold the whole price. @throws UnavailableError when users cannot say which wallet it is */
  async authorize(legs: Legs): Promise<Progress<Legs>> {
    const { payment, authorization } = legs;
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
      mayBeUnderWay: mayBeUnderWay(payment, this.now()),
    });
    faultPoint('wallet.authorize.after-call');
    if (answer.outcome === 'YES') return this.compared(legs, answer);
    if (answer.outcome === 'NO') return this.declined(legs, answer);
    if (answer.orderId && !authorization.orderId) {
      await rememberOrder(this.em.fork(), payment.id, answer.orderId);
      faultPoint('wallet.order.remembered');
    }
    return answer.refused ? askAgain(payment, this.now()) : backOff(payment.attempt);
  }

  /** Takes the held money. The merchant has been paid, so this is repeated until the wallet's definite word. */
  async capture(legs: Legs): Promise<Progress<never>> {
    const { payment, authorization } = legs;
    const { orderId, authorizationId, requestId } = authorization;
    invariant(orderId && authorizationId, 'captured without a hold (M5)');
    faultPoint('wallet.capture.before-call');
    const answer = await this.wallets[payment.walletProvider].capture({
      paymentId: payment.id,
      requestId,
      orderId,
      authorizationId,
      amount: payment.sell,
      mayBeUnderWay: mayBeUnderWay(payment, this.now()),
    });
    faultPoint('wallet.capture.after-call');
    if (answer.outcome === 'YES')
      return answer.amount.equals(payment.sell)
        ? this.captured(legs, answer)
        : sendToReview(this.em, payment.id, 'CAPTURE_AMOUNT_DIFFERS', this.now());
    if (answer.outcome === 'NO') return sendToReview(this.em, payment.id, answer.reason, this.now(), legs);
    return answer.refused ? askAgain(payment, this.now()) : backOff(payment.attempt);
  }

  /** Gives the held money free, after the network's definite no. */
  async void(legs: Legs): Promise<Progress<never>> {
    const { payment, authorization } = legs;
    const { authorizationId } = authorization;
    invariant(authorizationId, 'nothing to give free');
    faultPoint('wallet.void.before-call');
    const answer = await this.wallets[payment.walletProvider].void({
      authorizationId,
      mayBeUnderWay: mayBeUnderWay(payment, this.now()),
    });
    faultPoint('wallet.void.after-call');
    if (answer.outcome === 'YES') return this.voided(legs);
    if (answer.outcome === 'NO') return sendToReview(this.em, payment.id, 'VOID_REFUSED', this.now(), legs);
    return answer.refused ? askAgain(payment, this.now()) : backOff(payment.attempt);
  }

  /** Who holds another amount than was asked for is a person's, who must find what to give free. */
  private async compared(legs: Legs, held: Held): Promise<Progress<Legs>> {
    const { payment } = legs;
    if (held.amount.equals(payment.sell)) return this.held(legs, held);
    await rememberOrder(this.em.fork(), payment.id, held.orderId);
    return sendToReview(this.em, payment.id, 'WALLET_AMOUNT_DIFFERS', this.now());
  }

  /** The network is asked next, and nothing of it depends on what comes between: that it is goes with the same commit. */
  private async held(known: Legs, held: Held): Promise<Progress<Legs>> {
    const left = await changeLegs(this.em.fork(), known, (legs) => {
      const { payment, authorization } = legs;
      const now = this.now();
      authorization.held(held.orderId, held.authorizationId, held.expiresAt);
      const authorized = payment.record('AUTHORIZED', now);
      const submitted = submit(legs, now);
      faultPoint('payment.held.before-commit');
      return {
        events: submitted ? [authorized, submitted] : [authorized],
        entry: submitted ? holdBoth(payment, now, AS_KNOWN) : holdWallet(payment, now, AS_KNOWN),
      };
    });
    faultPoint('payment.held.after-commit');
    return left ? movedTo(left) : this.overtaken(known, held);
  }

  /** Another worker had believed a no before, so what this one's late request has held is nobody's: it is given free. */
  private async overtaken(known: Legs, { authorizationId }: Held): Promise<Progress<never>> {
    const { payment, authorization } = await readLegs(this.em.fork(), known.payment.id);
    if (authorization.status !== 'DECLINED') return MOVED;
    for (let attempt = 0; attempt < VOIDS_OF_NOBODYS; attempt += 1) {
      const answer = await this.wallets[payment.walletProvider].void({ authorizationId, mayBeUnderWay: true });
      if (answer.outcome === 'YES') return MOVED;
      await sleep(backOff(attempt).ms);
    }
    throw new InvariantViolation(`the wallet holds ${authorizationId} for a payment that is declined (M5)`);
  }

  private async declined(known: Legs, refusal: Refused): Promise<Progress<never>> {
    const ended = await changeLegs(this.em.fork(), known, ({ payment, authorization, acceptance }) => {
      authorization.declined();
      acceptance.refused();
      payment.declined(refusal.reason);
      const declined = payment.record('DECLINED', this.now());
      faultPoint('payment.declined.before-commit');
      return { events: [declined], besides: [release(payment, AS_KNOWN)], byRefusal: true };
    });
    faultPoint('payment.declined.after-commit');
    return endedBy(ended !== null);
  }

  private async captured(known: Legs, { captureId, processorFee }: Captured): Promise<Progress<never>> {
    const ended = await changeLegs(this.em.fork(), known, ({ payment, authorization }) => {
      const now = this.now();
      const feeMinor = processorFee?.minor ?? null;
      authorization.captured(captureId, feeMinor);
      payment.completed(now);
      const completed = payment.record('COMPLETED', now);
      faultPoint('payment.captured.before-commit');
      return { events: [completed], entry: postWallet(payment, feeMinor, now, AS_KNOWN) };
    });
    faultPoint('payment.captured.after-commit');
    return endedBy(ended !== null);
  }

  private async voided(known: Legs): Promise<Progress<never>> {
    const ended = await changeLegs(this.em.fork(), known, ({ payment, authorization }) => {
      const now = this.now();
      authorization.voided();
      payment.failed(payment.reason ?? 'NETWORK_REFUSED');
      const failed = payment.record('FAILED', now);
      faultPoint('payment.voided.before-commit');
      return { events: [failed], entry: voidWallet(payment, now, AS_KNOWN), besides: [release(payment, AS_KNOWN)] };
    });
    faultPoint('payment.voided.after-commit');
    return endedBy(ended !== null);
  }
}
