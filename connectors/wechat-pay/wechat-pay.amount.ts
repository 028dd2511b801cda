import { z } from 'zod';
import { invariant } from '../../subgraphs/kernel/error.js';
import { currencyOf, decimalsOf, isCurrency } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';

/**
 * The only place where an amount is a JSON number, because the protocol says so: an integer in the minor unit (fen). What
 * JSON cannot hold exactly is refused, and it becomes a bigint at once.
 */
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

/** An amount as the JSON number of the wire. @throws InvariantViolation for what JSON cannot hold exactly, and for zero or less */
export function toMinorUnits(money: Money): number {
  invariant(
    money.isPositive() && money.minor <= BigInt(Number.MAX_SAFE_INTEGER),
    'an amount on the wire is 1 fen or more',
  );
  return Number(money.minor);
}
