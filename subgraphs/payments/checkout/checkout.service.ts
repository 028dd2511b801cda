import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { DomainError, NotFoundError } from '../../kernel/error.js';
import { CodeKind } from '../../kernel/graphql/enums.js';
import type { CheckoutId, PaymentId, TravelerId, WalletId } from '../../kernel/id.js';
import { findReplay, type IdempotentRequest, once } from '../../kernel/idempotency.js';
import { Money } from '../../kernel/money/money.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { requireWithinPayment, reserveLimit } from '../limit/limit.repository.js';
import { Payment } from '../payment/payment.entity.js';
import { announce } from '../payment/payment-event.repository.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { Checkout, type Terms } from './checkout.entity.js';
import { AmountNotAllowed, AmountRequired, CheckoutAlreadyConfirmed, WrongCurrency } from './checkout.errors.js';
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
    private readonly saga: SagaWorker,
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
      const checkout = await lockOf(em, travelerId, checkoutId);
      checkout.requote(termsOf(quote), this.now());
      requireWithinPayment(checkout);
      return checkout;
    });
  }

  /** @throws NotFoundError, CheckoutExpired, CheckoutAlreadyConfirmed */
  async cancel(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    return transaction(this.em, async (em) => {
      const checkout = await lockOf(em, travelerId, checkoutId);
      checkout.cancel(this.now());
      return checkout;
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
    const replayed = await findReplay(this.em.fork(), request);
    if (!replayed) await this.requireStillPossible(await this.getOf(travelerId, checkoutId));
    const payment = await transaction(this.em, async (em) => {
      const { result, replayed } = await once<{ paymentId: PaymentId }>(em, request, async () => {
        const checkout = await lockOf(em, travelerId, checkoutId);
        return { paymentId: await this.confirmLocked(em, checkout) };
      });
      const payment = await em.findOneOrFail(Payment, result.paymentId);
      if (!replayed) await reserveLimit(em, await em.findOneOrFail(Checkout, checkoutId), payment);
      return payment;
    });
    this.saga.kick(payment.id);
    return payment;
  }

  /** @throws NotFoundError when there is none, or it is another traveler's */
  async getOf(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    const checkout = await this.em.fork().findOne(Checkout, { id: checkoutId, travelerId });
    if (!checkout) throw new NotFoundError();
    return checkout;
  }

  private async confirmLocked(em: EntityManager, checkout: Checkout): Promise<PaymentId> {
    const now = this.now();
    checkout.confirm(now);
    const payment = Payment.of(checkout, now);
    const event = payment.record('CONFIRMED', now);
    em.persist(payment);
    await em.flush();
    em.persist([Authorization.requested(payment.id), Acceptance.prepared(payment.id)]);
    await announce(em, payment, event);
    await this.saga.guard(em, payment.id);
    return payment.id;
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
    const { result, replayed } = await transaction(this.em, (em) =>
      once<{ checkoutId: CheckoutId }>(em, request, async () => {
        em.persist(checkout);
        await em.flush();
        return { checkoutId: checkout.id };
      }),
    );
    return replayed ? this.get(result.checkoutId) : checkout;
  }

  private get(id: CheckoutId): Promise<Checkout> {
    return this.em.fork().findOneOrFail(Checkout, id);
  }
}

/** @throws NotFoundError, CheckoutAlreadyConfirmed with the payment that it became: whoever lost a race can follow that */
async function lockOf(em: EntityManager, travelerId: TravelerId, id: CheckoutId): Promise<Checkout> {
  const checkout = await em.findOne(Checkout, { id, travelerId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!checkout) throw new NotFoundError();
  if (checkout.status !== 'CONFIRMED') return checkout;
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
