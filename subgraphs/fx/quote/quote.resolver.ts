import { Arg, Ctx, Directive, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import type { FxContext } from '../context.js';
import { rateDecimal } from '../rate/rate-decimal.js';
import type { Quote } from './quote.entity.js';
import { IssueQuoteInput, QuoteType } from './quote.type.js';

@Resolver(() => QuoteType)
export class QuoteResolver {
  @Directive('@inaccessible')
  @Mutation(() => QuoteType, {
    description:
      'Locks a price for five minutes. For payments only. Errors: RATE_UNAVAILABLE, INVALID_MONEY, INVALID_CURRENCY.',
  })
  issueQuote(
    @Arg('input', () => IssueQuoteInput, { description: 'The price that is asked for.' }) input: IssueQuoteInput,
    @Ctx() { quotes, principal }: FxContext,
  ): Promise<Quote> {
    principal.requireService('payments');
    return quotes.issue(input);
  }

  @FieldResolver()
  midRate(@Root() quote: Quote): string {
    return rateDecimal(quote.midRate);
  }

  @FieldResolver()
  customerRate(@Root() quote: Quote): string {
    return rateDecimal(quote.customerRate);
  }

  @FieldResolver(() => MoneyType, { description: 'What the payer gives, all in all.' })
  sell(@Root() quote: Quote): MoneyType {
    return MoneyType.of(quote.sell);
  }

  @FieldResolver(() => MoneyType, { description: 'What the merchant gets.' })
  buy(@Root() quote: Quote): MoneyType {
    return MoneyType.of(quote.buy);
  }

  @FieldResolver(() => MoneyType, { description: 'What `buy` costs at the mid-market rate.' })
  mid(@Root() quote: Quote): MoneyType {
    return MoneyType.of(quote.mid);
  }

  @FieldResolver(() => MoneyType, { description: 'What the customer rate costs more than the mid-market rate.' })
  spread(@Root() quote: Quote): MoneyType {
    return MoneyType.of(quote.spread);
  }

  @FieldResolver(() => MoneyType, { description: 'What is charged on top of the customer rate.' })
  fee(@Root() quote: Quote): MoneyType {
    return MoneyType.of(quote.fee);
  }
}
