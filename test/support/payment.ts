import { Network, WalletProvider } from '../../subgraphs/kernel/graphql/enums.js';
import { newId } from '../../subgraphs/kernel/id.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { Checkout } from '../../subgraphs/payments/checkout/checkout.entity.js';
import { Payment } from '../../subgraphs/payments/payment/payment.entity.js';

export interface Price {
  /** What the merchant gets, in fen. */
  readonly buy: bigint;
  /** What the payer gives, in cents, spread and fee included. */
  readonly sell: bigint;
  readonly spread: bigint;
  readonly fee: bigint;
}

/** CNY 100.00 at 7.2 with a spread of 1.5 %. */
export const examplePrice: Price = { buy: 10_000n, sell: 1_411n, spread: 22n, fee: 0n };

export function openCheckout(price = examplePrice, now = new Date(), codeExpiresAt: Date | null = null): Checkout {
  const parties = {
    travelerId: newId('trv', 'us'),
    walletId: newId('wal', 'us'),
    walletProvider: WalletProvider.PAYPAL,
    marketCode: 'US',
    merchantId: newId('mer', 'cn'),
    merchantName: 'Jinli Teahouse',
    network: Network.WECHAT_PAY,
    networkMerchantId: '1900000109',
    countryCode: 'CN',
    codeId: null,
    codePayload: 'wxp://f2f0example',
    reference: null,
    partnerIds: [],
    perPaymentLimitMinor: 500_000n,
    perYearLimitMinor: 5_000_000n,
  };
  return Checkout.open(parties, terms(price, now), codeExpiresAt, now);
}

/** A price that is locked for five minutes. */
export function terms(price = examplePrice, now = new Date()) {
  return {
    quoteId: newId('quo', 'us'),
    buy: Money.of(price.buy, 'CNY'),
    sell: Money.of(price.sell, 'USD'),
    spread: Money.of(price.spread, 'USD'),
    fee: Money.of(price.fee, 'USD'),
    expiresAt: new Date(now.getTime() + 300_000),
  };
}

/** A payment that went all the way. */
export function completedPayment(price = examplePrice, now = new Date()): Payment {
  const payment = Payment.of(openCheckout(price, now), now);
  payment.paid(now);
  payment.completed(now);
  return payment;
}
