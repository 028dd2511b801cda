import { z } from 'zod';
import { invariant } from '../../subgraphs/kernel/error.js';
import { currencyOf, decimalsOf, isCurrency } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';

/** The protocol's amounts are JSON integers in the minor unit (fen). One that JSON cannot hold exactly is refused; a good one is a bigint at once. */
export const minorUnits = z.int().nonnegative().transform(BigInt);

/** A currency that we know and that has two decimals, as everything this protocol counts in fen has. CNY when not said. */
export const currencyCode = z
  .string()
  .refine((code) => isCurrency(code) && decimalsOf(code) === 2, 'is not a currency of this protocol')
  .transform(currencyOf)
  .default('CNY');

/** `{ total, currency }` as transactions and our wallet side carry it. */
export const totalAmount = z
  .object({ total: minorUnits, currency: currencyCode })
  .transform(({ total, currency }) => Money.of(total, currency));

/** `{ refund, currency }` of a refund; its notification leaves the currency out and means CNY. */
export const refundAmount = z
  .object({ refund: minorUnits, currency: currencyCode })
  .transform(({ refund, currency }) => Money.of(refund, currency));

/** An amount as the wire carries it, see `toJson`. @throws InvariantViolation for zero or less: there is nothing to pay or give back */
export function toMinorUnits(money: Money): bigint {
  invariant(money.isPositive(), 'an amount on the wire is 1 fen or more');
  return money.minor;
}
