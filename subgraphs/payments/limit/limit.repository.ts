import { isDatabaseError } from '../../kernel/database.retry.js';
import { type Condition, from, type Sql } from '../../kernel/database.rows.js';
import type { Checkout } from '../checkout/checkout.entity.js';
import { SpendingLimitExceeded } from '../checkout/checkout.errors.js';
import type { Payment } from '../payment/payment.entity.js';

/** All payments of a traveler wait for this row: it is changed by statements that are transactions of their own. */

/**
 * Counts a payment against the payer's yearly limit, in the statement that confirms it. The row's own constraint
 * refuses what is beyond it, and with it the whole statement: of two payments that race for the last of a limit, one
 * gets it (M4).
 */
export function reservation(payment: Payment, limitMinor: bigint, when: Condition): Sql {
  return {
    text: `insert into limit_usage as usage (traveler_id, market_code, network, year, currency, used_minor, limit_minor)
             select ?, ?, ?, ?, ?, ?, ?${from(when)}
           on conflict (traveler_id, market_code, network, year, currency) do update
             set used_minor = usage.used_minor + excluded.used_minor, limit_minor = excluded.limit_minor`,
    values: [...keyOf(payment), payment.sellMinor, limitMinor],
  };
}

/** Whether that constraint has refused a statement. */
export function isBeyondLimit(thrown: unknown): boolean {
  return isDatabaseError(thrown, '23514', 'limit_usage_within_limit');
}

/** Gives back what a payment that came to nothing had reserved. A refund gives nothing back: the purchase was made. */
export function release(payment: Payment, when: Condition): Sql {
  return {
    text: `update limit_usage set used_minor = used_minor - ?${from(when)}
            where traveler_id = ? and market_code = ? and network = ? and year = ? and currency = ?`,
    values: [payment.sellMinor, ...keyOf(payment)],
  };
}

/** @throws SpendingLimitExceeded when the checkout alone is beyond the limit of one payment */
export function requireWithinPayment(checkout: Checkout): void {
  if (checkout.sell.isMoreThan(checkout.perPaymentLimit))
    throw new SpendingLimitExceeded('PAYMENT', checkout.perPaymentLimit);
}

/** The calendar year is that of the payment's birth in UTC, also when the limit is released in the next one. */
function keyOf({ travelerId, marketCode, network, createdAt, sellCurrency }: Payment): (string | number)[] {
  return [travelerId, marketCode, network, createdAt.getUTCFullYear(), sellCurrency];
}
