import { Directive, Field, ObjectType, registerEnumType } from 'type-graphql';
import { CurrencyCodeScalar, DateScalar, DateTimeScalar, DecimalScalar } from '../../kernel/graphql/scalars.js';
import type { MarketRate } from './market-rate.js';
import { rateDecimal } from './rate-decimal.js';

@Directive('@shareable')
@ObjectType('ExchangeRate', { description: 'What one unit of a currency costs in another at mid-market.' })
export class ExchangeRateType {
  @Field(() => CurrencyCodeScalar, { description: 'The currency that is priced.' })
  base!: string;

  @Field(() => CurrencyCodeScalar, { description: 'The currency of the price.' })
  quote!: string;

  @Field(() => DecimalScalar, { description: 'What one `base` costs in `quote`, with at most eight decimals.' })
  rate!: string;

  @Field(() => DateTimeScalar, { description: 'Since when this is the rate.' })
  asOf!: Date;

  @Field(() => String, { description: 'Who says so: `ECB` for reference rates, `SIMULATED` for the development feed.' })
  source!: string;

  static of({ rate, asOf, source }: MarketRate): ExchangeRateType {
    const { base, quote } = rate;
    return Object.assign(new ExchangeRateType(), { base, quote, rate: rateDecimal(rate), asOf, source });
  }
}

export enum RateInterval {
  DAY = 'DAY',
  WEEK = 'WEEK',
  MONTH = 'MONTH',
}

registerEnumType(RateInterval, {
  name: 'RateInterval',
  description: 'How much time one entry of a rate history covers.',
  valuesConfig: {
    DAY: { description: 'One day.' },
    WEEK: { description: 'Monday to Sunday.' },
    MONTH: { description: 'A calendar month.' },
  },
});

@ObjectType('ExchangeRateCandle', { description: 'How a reference rate moved within one interval.' })
export class ExchangeRateCandleType {
  @Field(() => DateScalar, { description: 'The first day of the interval.' })
  date!: string;

  @Field(() => DecimalScalar, { description: 'The first rate of the interval.' })
  open!: string;

  @Field(() => DecimalScalar, { description: 'The highest rate of the interval.' })
  high!: string;

  @Field(() => DecimalScalar, { description: 'The lowest rate of the interval.' })
  low!: string;

  @Field(() => DecimalScalar, { description: 'The last rate of the interval.' })
  close!: string;
}
