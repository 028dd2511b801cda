import { InvalidError, UnavailableError } from '../../kernel/error.js';
import { type Currency, isCurrency } from '../../kernel/money/currency.js';

/** There is no price for the pair, or the newest one is too old to be one. */
export class RateUnavailable extends UnavailableError {
  constructor(base: Currency, quote: Currency) {
    super('RATE_UNAVAILABLE', 'There is no current rate for this pair.', { base, quote });
  }
}

export class InvalidCurrency extends InvalidError {
  constructor(code: string) {
    super('INVALID_CURRENCY', 'This is not a currency that we know.', { currency: code.slice(0, 8) });
  }
}

export class InvalidRange extends InvalidError {
  constructor(message: string, details: { readonly mostDays?: number } = {}) {
    super('INVALID_RANGE', message, details);
  }
}

/** A file of rates is not what it should be: nothing of it is imported. */
export class MalformedRates extends InvalidError {
  constructor(line: number, problem: string) {
    super('MALFORMED_RATES', `Line ${line} of the rates: ${problem}.`, { line });
  }
}

/** @throws InvalidCurrency */
export function requireCurrency(code: string): Currency {
  if (!isCurrency(code)) throw new InvalidCurrency(code);
  return code;
}
