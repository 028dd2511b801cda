import { InvalidError } from '../error.js';

/**
 * ISO 4217: alphabetic code → [numeric code, number of decimals]. Currencies of the markets we serve or announce,
 * of the reference rates, and those whose odd number of decimals would show a mistake.
 */
const CURRENCIES = {
  AED: ['784', 2],
  AUD: ['036', 2],
  BHD: ['048', 3],
  BRL: ['986', 2],
  CAD: ['124', 2],
  CHF: ['756', 2],
  CNY: ['156', 2],
  CZK: ['203', 2],
  DKK: ['208', 2],
  EUR: ['978', 2],
  GBP: ['826', 2],
  HKD: ['344', 2],
  HUF: ['348', 2],
  IDR: ['360', 2],
  ILS: ['376', 2],
  INR: ['356', 2],
  ISK: ['352', 0],
  JPY: ['392', 0],
  KHR: ['116', 2],
  KRW: ['410', 0],
  KWD: ['414', 3],
  MNT: ['496', 2],
  MOP: ['446', 2],
  MXN: ['484', 2],
  MYR: ['458', 2],
  NOK: ['578', 2],
  NZD: ['554', 2],
  PHP: ['608', 2],
  PLN: ['985', 2],
  RON: ['946', 2],
  SEK: ['752', 2],
  SGD: ['702', 2],
  THB: ['764', 2],
  TND: ['788', 3],
  TRY: ['949', 2],
  TWD: ['901', 2],
  USD: ['840', 2],
  VND: ['704', 0],
  ZAR: ['710', 2],
} as const satisfies Record<string, readonly [numeric: string, decimals: number]>;

/** An ISO 4217 alphabetic code that we know the decimals of. */
export type Currency = keyof typeof CURRENCIES;

export const currencies = Object.keys(CURRENCIES) as readonly Currency[];

export function isCurrency(code: string): code is Currency {
  return Object.hasOwn(CURRENCIES, code);
}

/** @throws InvalidError INVALID_MONEY for a code that is unknown or not in capitals */
export function currencyOf(code: string): Currency {
  if (!isCurrency(code))
    throw new InvalidError('INVALID_MONEY', 'This is not a currency that we know.', { currency: code.slice(0, 8) });
  return code;
}

/** How many decimals the currency has: USD 2, JPY 0, KWD 3. */
export function decimalsOf(currency: Currency): number {
  return CURRENCIES[currency][1];
}

/** The currency of an ISO 4217 numeric code, as EMVCo codes carry it (`156` is CNY). */
export function currencyOfNumeric(numeric: string): Currency | null {
  return currencies.find((code) => CURRENCIES[code][0] === numeric) ?? null;
}

/** The ISO 4217 numeric code: three digits. */
export function numericOf(currency: Currency): string {
  return CURRENCIES[currency][0];
}
