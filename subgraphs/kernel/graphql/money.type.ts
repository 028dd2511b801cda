import 'reflect-metadata';
import { Arg, Directive, Field, InputType, ObjectType } from 'type-graphql';
import { type Currency, decimalsOf } from '../money/currency.js';
import { Money } from '../money/money.js';
import { CurrencyCodeScalar, DecimalScalar } from './scalars.js';

@Directive('@shareable')
@ObjectType('Money', { description: 'An exact amount of one currency.' })
export class MoneyType {
  @Field(() => DecimalScalar, { description: "The amount, with exactly the currency's number of decimals." })
  amount!: string;

  @Field(() => CurrencyCodeScalar, { description: 'The currency of the amount.' })
  currencyCode!: Currency;

  static of(money: Money): MoneyType {
    return Object.assign(new MoneyType(), { amount: money.toDecimal(), currencyCode: money.currency });
  }

  @Field(() => String, { description: 'The amount as people of that locale write it, such as `$12.50`.' })
  formatted(
    @Arg('locale', () => String, {
      nullable: true,
      defaultValue: 'en-US',
      description: 'A BCP 47 language tag; null is `en-US`.',
    })
    locale: string | null,
  ): string {
    return formatMoney(Money.parse(this.amount, this.currencyCode), locale ?? undefined);
  }
}

@InputType('MoneyInput', { description: 'An exact amount of one currency.' })
export class MoneyInput {
  @Field(() => DecimalScalar, { description: 'At most as many decimals as the currency has.' })
  amount!: string;

  @Field(() => CurrencyCodeScalar, { description: 'The currency of the amount.' })
  currencyCode!: string;
}

const formats = new Map<string, Intl.NumberFormat>();

/** `$12.50`; in English for a locale that this machine does not know. Exact: no number in between. */
export function formatMoney(money: Money, locale = 'en-US'): string {
  const key = `${locale} ${money.currency}`;
  let format = formats.get(key);
  if (!format) {
    const decimals = decimalsOf(money.currency);
    const options = {
      style: 'currency',
      currency: money.currency,
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    } as const;
    format = new Intl.NumberFormat(isLocale(locale) ? locale : 'en-US', options);
    // Locales are clients' input: a bounded cache.
    if (formats.size > 500) formats.clear();
    formats.set(key, format);
  }
  return format.format(money.toDecimal() as Intl.StringNumericLiteral);
}

function isLocale(locale: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale).length > 0;
  } catch {
    return false;
  }
}
