import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { WalletProvider } from '../../kernel/graphql/enums.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { CountryCodeScalar, CurrencyCodeScalar } from '../../kernel/graphql/scalars.js';

@Directive('@inaccessible')
@ObjectType('CheckoutPayerLimits', { description: 'How much the payer may spend.' })
export class CheckoutPayerLimitsType {
  @Field(() => MoneyType, { description: 'The most that one payment may cost.' })
  perPayment!: MoneyType;

  @Field(() => MoneyType, { description: 'The most that all payments of a calendar year (UTC) may cost.' })
  perYear!: MoneyType;
}

@Directive('@inaccessible')
@ObjectType('CheckoutPayer', { description: 'What the payments service must know of a payer to open a checkout.' })
export class CheckoutPayerType {
  @Field(() => ID, { description: 'The wallet.' })
  walletId!: string;

  @Field(() => WalletProvider, { description: 'Who keeps the wallet.' })
  provider!: `${WalletProvider}`;

  @Field(() => CurrencyCodeScalar, { description: 'The currency the wallet pays in.' })
  currencyCode!: string;

  @Field(() => CountryCodeScalar, { description: "The traveler's home market." })
  marketCode!: string;

  @Field(() => String, { description: 'The region where the traveler lives, as in their id.' })
  region!: string;

  @Field(() => CheckoutPayerLimitsType, { description: 'How much they may spend.' })
  limits!: CheckoutPayerLimitsType;

  @Field(() => [ID], { description: "The partners that may see this traveler's or this merchant's payments." })
  partnerIds!: string[];
}
