import type { Network } from '../../kernel/graphql/enums.js';
import { type Currency, numericOf } from '../../kernel/money/currency.js';
import { MarketNotLive } from './code.errors.js';

/** What we must know of a network to read and write its codes. */
export interface NetworkRules {
  readonly network: `${Network}`;
  /** Where its merchants are, and in what they are paid. */
  readonly countryCode: string;
  readonly currency: Currency;
  readonly currencyNumeric: string;
  /** Its globally unique id in EMVCo codes. */
  readonly emvcoId: string;
}

export const WECHAT_PAY: NetworkRules = {
  network: 'WECHAT_PAY',
  countryCode: 'CN',
  currency: 'CNY',
  currencyNumeric: numericOf('CNY'),
  emvcoId: 'com.tenpay.wechatpay',
};

/** The network also has merchants in other countries and currencies. @throws MarketNotLive for those */
export function requireServed(countryCode: string, currency: Currency): void {
  if (countryCode !== WECHAT_PAY.countryCode || currency !== WECHAT_PAY.currency) throw new MarketNotLive(countryCode);
}
