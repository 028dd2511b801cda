import { Directive, Field, ObjectType, registerEnumType } from 'type-graphql';
import { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import { CountryCodeScalar, CurrencyCodeScalar } from '../../kernel/graphql/scalars.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { MarketStatus } from './market.states.js';

export const MarketStatusEnum = {
  LIVE: 'LIVE',
  ANNOUNCED: 'ANNOUNCED',
  CLOSED: 'CLOSED',
} satisfies Record<MarketStatus, MarketStatus>;

registerEnumType(MarketStatusEnum, {
  name: 'MarketStatus',
  description: 'Whether travelers of a market can pay.',
  valuesConfig: {
    LIVE: { description: 'They can pay.' },
    ANNOUNCED: { description: 'They will be able to.' },
    CLOSED: { description: 'They no longer can.' },
  },
});

@Directive('@key(fields: "code")')
@ObjectType('Market', { description: 'A country where travelers are at home.' })
export class MarketType {
  @Field(() => CountryCodeScalar, { description: 'The country.' })
  code!: string;

  @Field(() => String, { description: 'The name of the country in English.' })
  name!: string;

  @Field(() => MarketStatusEnum, { description: 'Whether its travelers can pay.' })
  status!: MarketStatus;

  @Field(() => CurrencyCodeScalar, { description: 'The currency in which its travelers pay.' })
  currencyCode!: Currency;

  @Field(() => [WalletProvider], { description: 'The wallets from which its travelers can pay.' })
  walletProviders!: `${WalletProvider}`[];
}

@ObjectType('SpendingLimit', { description: 'How much a traveler may spend through a network.' })
export class SpendingLimitType {
  @Field(() => Network, { description: 'The network that the limit is for.' })
  network!: `${Network}`;
}
