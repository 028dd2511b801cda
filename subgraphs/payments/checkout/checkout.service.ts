import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { invariant, NotFoundError } from '../../kernel/error.js';
import { faultPoint } from '../../kernel/fault.js';
import { CodeKind } from '../../kernel/graphql/enums.js';
import { type CheckoutId, type TravelerId, type WalletId } from '../../kernel/id.js';
import { findReplay, type IdempotentRequest } from '../../kernel/idempotency.js';
import { Money } from '../../kernel/money/money.js';
import { requireWithinPayment } from '../limit/limit.repository.js';
import { Checkout, type Terms } from './checkout.entity.js';
import { AmountNotAllowed, AmountRequired, CheckoutAlreadyConfirmed, WrongCurrency } from './checkout.errors.js';
import {
  insertCheckout,
  type LockedCheckout,
  lockCheckout,
  paymentOf,
  readCheckout,
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

/** From a scanned code to a price that a traveler can accept (`ConfirmationService`). */
export class CheckoutService {
  constructor(
    private readonly em: EntityManager,
    private readonly codes: CodeClient,
    private readonly payers: PayerClient,
    private readonly quotes: QuoteClient,
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

  /** @throws NotFoundError when there is none, or it is another traveler's */
  async getOf(travelerId: TravelerId, checkoutId: CheckoutId): Promise<Checkout> {
    const checkout = await readCheckout(this.em.fork(), checkoutId, travelerId);
    if (!checkout) throw new NotFoundError();
    return checkout;
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
  throw new CheckoutAlreadyConfirmed(await paymentOf(em, id));
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
