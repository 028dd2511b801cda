import { Arg, Ctx, Directive, Query, Resolver } from 'type-graphql';
import { CurrencyCodeScalar, DateScalar } from '../../kernel/graphql/scalars.js';
import type { FxContext } from '../context.js';
import type { Candle } from './market-rate.js';
import { ExchangeRateCandleType, ExchangeRateType, RateInterval } from './rate.type.js';

@Resolver()
export class RateResolver {
  @Query(() => ExchangeRateType, {
    description:
      'The current mid-market rate of a pair. Open to everyone. Errors: INVALID_CURRENCY; RATE_UNAVAILABLE rather than an old rate.',
  })
  async exchangeRate(
    @Arg('base', () => CurrencyCodeScalar, { description: 'The currency to price.' }) base: string,
    @Arg('quote', () => CurrencyCodeScalar, { description: 'The currency of the price.' }) quote: string,
    @Ctx() { rates }: FxContext,
  ): Promise<ExchangeRateType> {
    return ExchangeRateType.of(await rates.current(base, quote));
  }

  @Directive('@listSize(assumedSize: 1000)')
  @Query(() => [ExchangeRateCandleType], {
    description:
      'How the reference rate of a pair moved, oldest first; intervals without a published rate are absent. At most 1,000 intervals. Open to everyone. Errors: INVALID_CURRENCY, INVALID_RANGE, RATE_UNAVAILABLE.',
  })
  exchangeRateHistory(
    @Arg('base', () => CurrencyCodeScalar, { description: 'The currency to price.' }) base: string,
    @Arg('quote', () => CurrencyCodeScalar, { description: 'The currency of the price.' }) quote: string,
    @Arg('from', () => DateScalar, { description: 'The first day.' }) from: string,
    @Arg('to', () => DateScalar, { description: 'The last day.' }) to: string,
    @Arg('interval', () => RateInterval, { description: 'How much time one entry covers.' }) interval: RateInterval,
    @Ctx() { rates }: FxContext,
  ): Promise<Candle[]> {
    return rates.history({ base, quote, from, to, interval });
  }
}
