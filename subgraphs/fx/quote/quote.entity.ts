import { defineEntity, p } from '@mikro-orm/core';
import { after, MINUTE } from '../../kernel/clock.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import { newId, type QuoteId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import { Rate } from '../../kernel/money/rate.js';
import type { MarketRate } from '../rate/market-rate.js';
import type { PricingRule } from './pricing-rule.entity.js';

/** How long a price is locked. */
export const LOCK_MS = 5 * MINUTE;

const QuoteSchema = defineEntity({
  name: 'Quote',
  tableName: 'quote',
  properties: {
    id: p.string().$type<QuoteId>().primary(),
    pricingRuleId: p.bigint(),
    marketCode: p.string(),
    provider: p.string().$type<`${WalletProvider}`>(),
    network: p.string().$type<`${Network}`>(),
    sellCurrency: p.string().$type<Currency>(),
    buyCurrency: p.string().$type<Currency>(),
    sellMinor: p.bigint(),
    buyMinor: p.bigint(),
    midMinor: p.bigint(),
    spreadMinor: p.bigint(),
    feeMinor: p.bigint(),
    // Fractions of whole numbers that no integer column holds.
    midNumerator: p.string(),
    midDenominator: p.string(),
    customerNumerator: p.string(),
    customerDenominator: p.string(),
    source: p.string(),
    asOf: p.datetime(),
    issuedAt: p.datetime(),
    expiresAt: p.datetime(),
  },
});

/** A locked offer. It never changes: whoever needs another price asks for another quote. */
export class Quote extends QuoteSchema.class {
  /** @throws InvalidError INVALID_MONEY when the price is larger than anything we take */
  static issued(rule: PricingRule, buy: Money, market: MarketRate, now: Date): Quote {
    const { midRate, customerRate, mid, spread, fee, sell } = rule.price(buy, market.rate);
    return Object.assign(new Quote(), {
      id: newId('quo', 'us'),
      pricingRuleId: rule.id,
      marketCode: rule.marketCode,
      provider: rule.provider,
      network: rule.network,
      sellCurrency: sell.currency,
      buyCurrency: buy.currency,
      sellMinor: sell.minor,
      buyMinor: buy.minor,
      midMinor: mid.minor,
      spreadMinor: spread.minor,
      feeMinor: fee.minor,
      midNumerator: String(midRate.numerator),
      midDenominator: String(midRate.denominator),
      customerNumerator: String(customerRate.numerator),
      customerDenominator: String(customerRate.denominator),
      source: market.source,
      asOf: market.asOf,
      issuedAt: now,
      expiresAt: after(now, LOCK_MS),
    });
  }

  /** Sell currency in buy currency, at mid-market. */
  get midRate(): Rate {
    return this.rateOf(this.midNumerator, this.midDenominator);
  }

  /** The mid rate less our spread. */
  get customerRate(): Rate {
    return this.rateOf(this.customerNumerator, this.customerDenominator);
  }

  get sell(): Money {
    return Money.of(this.sellMinor, this.sellCurrency);
  }

  get buy(): Money {
    return Money.of(this.buyMinor, this.buyCurrency);
  }

  get mid(): Money {
    return Money.of(this.midMinor, this.sellCurrency);
  }

  get spread(): Money {
    return Money.of(this.spreadMinor, this.sellCurrency);
  }

  get fee(): Money {
    return Money.of(this.feeMinor, this.sellCurrency);
  }

  private rateOf(numerator: string, denominator: string): Rate {
    return Rate.of(this.sellCurrency, this.buyCurrency, BigInt(numerator), BigInt(denominator));
  }
}

QuoteSchema.setClass(Quote);
