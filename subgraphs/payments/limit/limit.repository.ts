import type { EntityManager } from '@mikro-orm/postgresql';
import type { Checkout } from '../checkout/checkout.entity.js';
import { SpendingLimitExceeded } from '../checkout/checkout.errors.js';
import type { Payment } from '../payment/payment.entity.js';

/**
 * Both functions come last in their transaction, after everything else is written: the row is locked until the commit,
 * and all payments of a traveler wait for it.
 */

/**
 * Counts a payment against the payer's limits, in the transaction that confirms it. One statement checks and adds
 * under the row's lock: of two payments that race for the last of a limit, one gets it (M4).
 * @throws SpendingLimitExceeded
 */
export async function reserveLimit(em: EntityManager, checkout: Checkout, payment: Payment): Promise<void> {
  requireWithinPayment(checkout);
  await em.flush();
  const rows = await em.execute<unknown[]>(
    `insert into limit_usage as usage (traveler_id, market_code, network, year, currency, used_minor)
       select ?, ?, ?, ?, ?, ? where ?::bigint <= ?::bigint
     on conflict (traveler_id, market_code, network, year, currency) do update
       set used_minor = usage.used_minor + excluded.used_minor
       where usage.used_minor + excluded.used_minor <= ?
     returning used_minor`,
    [...keyOf(payment), payment.sellMinor, payment.sellMinor, checkout.perYearLimitMinor, checkout.perYearLimitMinor],
  );
  if (rows.length === 0) throw new SpendingLimitExceeded('YEAR', checkout.perYearLimit);
}

/** Gives back what a payment that came to nothing had reserved. A refund gives nothing back: the purchase was made. */
export async function releaseLimit(em: EntityManager, payment: Payment): Promise<void> {
  await em.flush();
  await em.execute(
    `update limit_usage set used_minor = used_minor - ?
      where traveler_id = ? and market_code = ? and network = ? and year = ? and currency = ?`,
    [payment.sellMinor, ...keyOf(payment)],
  );
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
