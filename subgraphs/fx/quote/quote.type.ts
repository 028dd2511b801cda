import { Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import { MoneyInput } from '../../kernel/graphql/money.type.js';
import { CurrencyCodeScalar, DateTimeScalar, DecimalScalar } from '../../kernel/graphql/scalars.js';

@Directive('@key(fields: "id")')
@ObjectType('Quote', {
  description:
    'A locked price: what the payer gives for what the merchant gets. `sell` is mid-market amount + `spread` + `fee`.',
})
export class QuoteType {
  @Field(() => ID, { description: 'Opaque.' })
  id!: string;

  @Field(() => DecimalScalar, {
    description:
      'What one unit of the sold currency costs at mid-market in the bought one, with at most eight decimals.',
  })
  midRate!: string;

  @Field(() => DecimalScalar, { description: 'The mid-market rate less the spread, with at most eight decimals.' })
  customerRate!: string;

  @Field(() => String, { description: 'Whose mid-market rate it is: `ECB`, or `SIMULATED` in development.' })
  source!: string;

  @Field(() => DateTimeScalar, { description: 'Since when the mid-market rate is the rate.' })
  asOf!: Date;

  @Field(() => DateTimeScalar, { description: 'Until when the price is locked.' })
  expiresAt!: Date;
}

@Directive('@inaccessible')
@InputType('IssueQuoteInput', { description: 'The price that is asked for.' })
export class IssueQuoteInput {
  @Field(() => CurrencyCodeScalar, { description: "The wallet's currency." })
  sellCurrency!: string;

  @Field(() => MoneyInput, { description: 'What the merchant is to get.' })
  buy!: MoneyInput;

  @Field(() => String, { description: "The traveler's home market." })
  marketCode!: string;

  @Field(() => WalletProvider, { description: "Who keeps the payer's wallet." })
  provider!: WalletProvider;

  @Field(() => Network, { description: "The merchant's network." })
  network!: Network;
}
