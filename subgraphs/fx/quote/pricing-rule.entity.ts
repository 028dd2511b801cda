import { defineEntity, p } from '@mikro-orm/core';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import type { Rate } from '../../kernel/money/rate.js';

const PARTS = 1_000_000n;

const PricingRuleSchema = defineEntity({
  name: 'PricingRule',
  tableName: 'pricing_rule',
  properties: {
    id: p.bigint().primary().autoincrement(),
    marketCode: p.string(),
    provider: p.string().$type<`${WalletProvider}`>(),
    network: p.string().$type<`${Network}`>(),
    sellCurrency: p.string().$type<Currency>(),
    buyCurrency: p.string().$type<Currency>(),
    spreadPpm: p.integer(),
    feeFixedMinor: p.bigint(),
    feePpm: p.integer(),
    validFrom: p.datetime(),
    validTo: p.datetime().$type<Date | null>().strictNullable(),
  },
});

/** What a payer gives for what a merchant gets. `sell` is `mid` + `spread` + `fee`, to the last minor unit. */
export interface Price {
  readonly midRate: Rate;
  readonly customerRate: Rate;
  readonly mid: Money;
  readonly spread: Money;
  readonly fee: Money;
  readonly sell: Money;
}

/** What we take on top of the mid-market rate for one corridor, from one moment to another. Rules change by new rows. */
export class PricingRule extends PricingRuleSchema.class {
  /**
   * Rounds every part up, once: against the payer by less than one minor unit each, so the house never loses a fraction.
   * @param midRate sell currency in buy currency
   * @throws InvalidError INVALID_MONEY when the price is larger than anything we take
   */
  price(buy: Money, midRate: Rate): Price {
    const customerRate = midRate.lessPartsPerMillion(BigInt(this.spreadPpm));
    const mid = midRate.inverse().convertUp(buy);
    const exchanged = customerRate.inverse().convertUp(buy);
    const fee = Money.of(this.feeFixedMinor, mid.currency).plus(exchanged.shareUp(BigInt(this.feePpm), PARTS));
    const sell = exchanged.plus(fee);
    // Parsed for its limit.
    Money.parse(sell.toDecimal(), sell.currency);
    return { midRate, customerRate, mid, spread: exchanged.minus(mid), fee, sell };
  }
}

PricingRuleSchema.setClass(PricingRule);
