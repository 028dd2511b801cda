import { z } from 'zod';
import { type Currency, decimalsOf } from '../../subgraphs/kernel/money/currency.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { PaypalRefusal } from './paypal.errors.js';

/** An amount as PayPal writes it. */
export const wireMoney = z.object({ currency_code: z.string().length(3), value: z.string().max(32) });
export type WireMoney = z.infer<typeof wireMoney>;

/** PayPal knows no fractions of these, whatever ISO 4217 says: developer.paypal.com/reference/currency-codes. */
const WITHOUT_DECIMALS: ReadonlySet<string> = new Set<Currency>(['HUF', 'JPY', 'TWD']);

/** How many decimals PayPal takes, 0 to 3. */
export function wireDecimalsOf(currency: Currency): number {
  return WITHOUT_DECIMALS.has(currency) ? 0 : decimalsOf(currency);
}

/** @throws PaypalRefusal OUR_BUG, without asking, for a fraction that PayPal cannot express */
export function toWire(money: Money): WireMoney {
  const decimal = money.toDecimal();
  if (wireDecimalsOf(money.currency) === decimalsOf(money.currency))
    return { currency_code: money.currency, value: decimal };
  const [whole = '', fraction = ''] = decimal.split('.');
  if (!/^0*$/.test(fraction)) throw new PaypalRefusal('DECIMALS_NOT_SUPPORTED', 'OUR_BUG');
  return { currency_code: money.currency, value: whole };
}

/** @throws InvalidError INVALID_MONEY for a currency or a precision that we do not know */
export function fromWire(wire: WireMoney): Money {
  return Money.parse(wire.value, wire.currency_code);
}
