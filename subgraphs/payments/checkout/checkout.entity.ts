import { defineEntity, p } from '@mikro-orm/core';
import { after, MINUTE } from '../../kernel/clock.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import {
  type CheckoutId,
  type CodeId,
  type MerchantId,
  newId,
  type PartnerId,
  type QuoteId,
  type TravelerId,
  type WalletId,
} from '../../kernel/id.js';
import { Money } from '../../kernel/money/money.js';
import { step } from '../../kernel/states.js';
import { CheckoutAlreadyConfirmed, CheckoutCancelled, CheckoutExpired, QuoteExpired } from './checkout.errors.js';
import { type CheckoutStatus, checkoutTransitions } from './checkout.states.js';
import { purchaseColumns } from './purchase.js';

/** How long a payer may look at a checkout; its price is locked for less and can be renewed. */
const LIFETIME_MS = 30 * MINUTE;

/** What fx locked: the payer's whole price and its parts. `sell` includes `spread` and `fee`. */
export interface Terms {
  readonly quoteId: QuoteId;
  readonly buy: Money;
  readonly sell: Money;
  readonly spread: Money;
  readonly fee: Money;
  readonly expiresAt: Date;
}

/** Who pays whom, where and within which limits: fixed when the checkout starts. */
export interface Parties {
  readonly travelerId: TravelerId;
  readonly walletId: WalletId;
  readonly walletProvider: WalletProvider;
  readonly marketCode: string;
  readonly merchantId: MerchantId;
  readonly merchantName: string;
  readonly network: Network;
  readonly networkMerchantId: string;
  readonly countryCode: string;
  readonly codeId: CodeId | null;
  readonly codePayload: string;
  readonly reference: string | null;
  readonly partnerIds: PartnerId[];
  readonly perPaymentLimitMinor: bigint;
  readonly perYearLimitMinor: bigint;
}

const CheckoutSchema = defineEntity({
  name: 'Checkout',
  properties: {
    id: p.string().$type<CheckoutId>().primary(),
    ...purchaseColumns(),
    countryCode: p.string(),
    perPaymentLimitMinor: p.bigint(),
    perYearLimitMinor: p.bigint(),
    status: p.string().$type<CheckoutStatus>(),
    quoteExpiresAt: p.datetime(),
    expiresAt: p.datetime(),
    createdAt: p.datetime(),
  },
});

/** What the payer is about to accept. OPEN until it is confirmed, cancelled or too old. */
export class Checkout extends CheckoutSchema.class {
  /** @param codeExpiresAt when the code itself ends, where it does */
  static open(parties: Parties, terms: Terms, codeExpiresAt: Date | null, now: Date): Checkout {
    const longest = after(now, LIFETIME_MS);
    const checkout = Object.assign(new Checkout(), parties, {
      id: newId('chk', 'us'),
      status: 'OPEN' as const,
      createdAt: now,
      expiresAt: codeExpiresAt && codeExpiresAt < longest ? codeExpiresAt : longest,
    });
    checkout.take(terms);
    return checkout;
  }

  get buy(): Money {
    return Money.of(this.buyMinor, this.buyCurrency);
  }

  get sell(): Money {
    return Money.of(this.sellMinor, this.sellCurrency);
  }

  get perPaymentLimit(): Money {
    return Money.of(this.perPaymentLimitMinor, this.sellCurrency);
  }

  get perYearLimit(): Money {
    return Money.of(this.perYearLimitMinor, this.sellCurrency);
  }

  /** The status as the clock sees it: nobody has to write EXPIRED for a checkout to be so. */
  statusAt(now: Date): CheckoutStatus {
    return this.status === 'OPEN' && this.expiresAt <= now ? 'EXPIRED' : this.status;
  }

  /** A new price for the same purchase. @throws CheckoutExpired, CheckoutCancelled, CheckoutAlreadyConfirmed */
  requote(terms: Terms, now: Date): void {
    this.requireOpen(now);
    this.take(terms);
  }

  /** @throws CheckoutExpired, CheckoutCancelled, CheckoutAlreadyConfirmed, QuoteExpired */
  confirm(now: Date): void {
    this.requireOpen(now);
    if (this.quoteExpiresAt <= now) throw new QuoteExpired();
    this.become('CONFIRMED');
  }

  /** @throws CheckoutExpired, CheckoutAlreadyConfirmed */
  cancel(now: Date): void {
    if (this.status === 'CANCELLED') return;
    this.requireOpen(now);
    this.become('CANCELLED');
  }

  private requireOpen(now: Date): void {
    const status = this.statusAt(now);
    if (status === 'EXPIRED') throw new CheckoutExpired();
    if (status === 'CANCELLED') throw new CheckoutCancelled();
    if (status === 'CONFIRMED') throw new CheckoutAlreadyConfirmed(null);
  }

  private become(status: CheckoutStatus): void {
    this.status = step(checkoutTransitions, this.status, status);
  }

  private take(terms: Terms): void {
    this.quoteId = terms.quoteId;
    this.quoteExpiresAt = terms.expiresAt;
    this.buyMinor = terms.buy.minor;
    this.buyCurrency = terms.buy.currency;
    this.sellMinor = terms.sell.minor;
    this.sellCurrency = terms.sell.currency;
    this.spreadMinor = terms.spread.minor;
    this.feeMinor = terms.fee.minor;
  }
}

CheckoutSchema.setClass(Checkout);
