import { defineEntity, p } from '@mikro-orm/core';
import type { Network } from '../../kernel/graphql/enums.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';

const SpendingLimitSchema = defineEntity({
  name: 'SpendingLimit',
  tableName: 'spending_limit',
  properties: {
    marketCode: p.string().primary(),
    network: p.string().$type<`${Network}`>().primary(),
    /** A day, `YYYY-MM-DD`, in UTC. */
    validFrom: p.date().primary(),
    validUntil: p.date().$type<string | null>().strictNullable(),
    currencyCode: p.string().$type<Currency>(),
    perPaymentMinor: p.bigint(),
    perYearMinor: p.bigint(),
  },
});

/**
 * How much a traveler of a market may spend through a network: per payment and per calendar year, refunds not deducted.
 * Of several rows that are valid on a day, the one that began last holds.
 */
export class SpendingLimit extends SpendingLimitSchema.class {
  get perPayment(): Money {
    return Money.of(this.perPaymentMinor, this.currencyCode);
  }

  get perYear(): Money {
    return Money.of(this.perYearMinor, this.currencyCode);
  }
}

SpendingLimitSchema.setClass(SpendingLimit);
