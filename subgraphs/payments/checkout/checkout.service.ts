import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { DomainError, invariant, NotFoundError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import { CodeKind } from '../../kernel/graphql/enums.js';
import { type CheckoutId, newId, type PaymentId, type TravelerId, type WalletId } from '../../kernel/id.js';
import { findReplay, type IdempotentRequest } from '../../kernel/idempotency.js';
import { Money } from '../../kernel/money/money.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { isBeyondLimit, requireWithinPayment } from '../limit/limit.repository.js';
import { Payment } from '../payment/payment.entity.js';
import type { Legs } from '../payment/payment.repository.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { Checkout, type Terms } from './checkout.entity.js';
import {
  AmountNotAllowed,
  AmountRequired,
  CheckoutAlreadyConfirmed,
  SpendingLimitExceeded,
  WrongCurrency,
} from './checkout.errors.js';
import {
  confirmCheckout,
  insertCheckout,
  type LockedCheckout,
  lockCheckout,
  readCheckout,
  readToConfirm,
  saveCheckout,
} from './checkout.repository.js';
import type { CodeClient, ScannedCode } from './code.client.js';
import type { Payer, PayerClient } from './payer.client.js';
import type { Quote, QuoteClient } from './quote.client.js';

export interface StartCheckout {
  readonly travelerId: TravelerId;
  readonly code: string;
  readonly amount: { readonly amount: string; readonly currencyCode: string } | null;
  readonly walletId: WalletId;
  readonly idempotencyKey: string;
}

export interface ConfirmCheckout {
  readonly travelerId: TravelerId;
  readonly checkoutId: CheckoutId;
  readonly idempotencyKey: string;
}

/** From a scanned code to a confirmed payment, with the whole price in between. */
export class CheckoutService {
  constructor(
    private readonly em: EntityManager,
    private readonly codes: CodeClient,
    private readonly payers: PayerClient,
    private readonly quotes: QuoteClient,
    private readonly saga: SagaWorker<Legs>,
    private readonly now: Clock,
  ) {}

  /**
   * Opens a checkout with a locked price. Merchants, users and fx are asked first; nothing is written before all have
   * answered.
   * @throws InvalidError INVALID_MONEY, AmountRequired, AmountNotAllowed, WrongCurrency, SpendingLimitExceeded,
   *   IdempotencyKeyReused, and what the others answer: INVALID_CODE, CODE_EXPIRED, WALLET_NOT_USABLE,
   *   MARKET_NOT_LIVE, RATE_UNAVAILABLE, SUBGRAPH_UNAVAILABLE
   */
  async start(command: StartCheckout): Promise<Checkout> {
    const { travelerId, walletId, code: payload, idempotencyKey } = command;
    const said = command.amount && Money.parsePositive(command.amount.amount, command.amount.currencyCode);
    const content = { payload, walletId, amount: said?.toString() ?? null };
    const request: IdempotentRequest = { scope: `${travelerId}:startCheckout`, key: idempotencyKey, content };
    const replayed = await findReplay<{ checkoutId: CheckoutId }>(this.em.fork(), request);
    if (replayed) return this.get(replayed.checkoutId);
    const code = await this.codes.resolve(payload);
    const buy = amountToPay(code, said);
    const { merchantId, network, countryCode } = code;
    const payer = await this.payers.payer({ travelerId, walletId, merchantId, network, countryCode });
    const quote = await this.quote(payer, code, buy);
    return this.open(request, Checkout.open(partiesOf(command, code, payer), quote, code.expiresAt, this.now()));
  }

  /** A new price for the same purchase. @throws NotFoundError, CheckoutExpired, CheckoutCancelled, CheckoutAlreadyConfirmed */
  async requote(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    const { sellCurrency, buy, marketCode, walletProvider, network } = await this.getOf(travelerId, checkoutId);
    const quote = await this.quotes.issue({ sellCurrency, buy, marketCode, provider: walletProvider, network });
    return transaction(this.em, async (em) => {
      const locked = await lockOf(em, travelerId, checkoutId);
      locked.checkout.requote(termsOf(quote), this.now());
      requireWithinPayment(locked.checkout);
      await saveCheckout(em, locked);
      return locked.checkout;
    });
  }

  /** @throws NotFoundError, CheckoutExpired, CheckoutAlreadyConfirmed */
  async cancel(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    return transaction(this.em, async (em) => {
      const locked = await lockOf(em, travelerId, checkoutId);
      locked.checkout.cancel(this.now());
      await saveCheckout(em, locked);
      return locked.checkout;
    });
  }

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

  /** @throws NotFoundError when there is none, or it is another traveler's */
  async getOf(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    const checkout = await readCheckout(this.em.fork(), checkoutId, travelerId);
    if (!checkout) throw new NotFoundError();
    return checkout;
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
    if (before.status === 'CONFIRMED') throw new CheckoutAlreadyConfirmed(await this.paymentOf(before));
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

  /** Whoever lost a race can follow the payment that the checkout became. */
  private async paymentOf({ id }: Checkout): Promise<PaymentId> {
    const { id: paymentId } = await this.em.fork().findOneOrFail(Payment, { checkoutId: id }, { fields: ['id'] });
    return paymentId;
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

  private async quote(payer: Payer, code: ScannedCode, buy: Money): Promise<Terms> {
    const { currencyCode, marketCode, provider } = payer;
    return termsOf(
      await this.quotes.issue({ sellCurrency: currencyCode, buy, marketCode, provider, network: code.network }),
    );
  }

  private async open(request: IdempotentRequest, checkout: Checkout): Promise<Checkout> {
    requireWithinPayment(checkout);
    faultPoint('checkout.open.before-commit');
    const isFirst = await insertCheckout(this.em.fork(), checkout, request);
    faultPoint('checkout.open.after-commit');
    if (isFirst) return checkout;
    const earlier = await findReplay<{ checkoutId: CheckoutId }>(this.em.fork(), request);
    invariant(earlier, 'a key that was taken has a result');
    return this.get(earlier.checkoutId);
  }

  private get(id: CheckoutId): Promise<Checkout> {
    return this.em.fork().findOneOrFail(Checkout, id);
  }
}

/** @throws NotFoundError, CheckoutAlreadyConfirmed with the payment that it became: whoever lost a race can follow that */
async function lockOf(em: EntityManager, travelerId: TravelerId, id: CheckoutId): Promise<LockedCheckout> {
  const locked = await lockCheckout(em, id, travelerId);
  if (!locked) throw new NotFoundError();
  if (locked.checkout.status !== 'CONFIRMED') return locked;
  const payment = await em.findOneOrFail(Payment, { checkoutId: id }, { fields: ['id'] });
  throw new CheckoutAlreadyConfirmed(payment.id);
}

/** @throws AmountRequired, AmountNotAllowed, WrongCurrency */
function amountToPay(code: ScannedCode, said: Money | null): Money {
  if (code.kind === CodeKind.DYNAMIC || code.amount) {
    if (said) throw new AmountNotAllowed();
    if (code.amount) return code.amount;
  }
  if (!said) throw new AmountRequired();
  if (said.currency !== code.currencyCode) throw new WrongCurrency(code.currencyCode);
  return said;
}

function partiesOf(command: StartCheckout, code: ScannedCode, payer: Payer): Parameters<typeof Checkout.open>[0] {
  const { merchantId, merchantName, network, networkMerchantId, countryCode, codeId, reference } = code;
  return {
    travelerId: command.travelerId,
    walletId: command.walletId,
    walletProvider: payer.provider,
    marketCode: payer.marketCode,
    partnerIds: payer.partnerIds,
    perPaymentLimitMinor: payer.limits.perPayment.minor,
    perYearLimitMinor: payer.limits.perYear.minor,
    ...{ merchantId, merchantName, network, networkMerchantId, countryCode, codeId, reference },
    codePayload: command.code.trim(),
  };
}

function termsOf({ id, buy, sell, spread, fee, expiresAt }: Quote): Terms {
  return { quoteId: id, buy, sell, spread, fee, expiresAt };
}
