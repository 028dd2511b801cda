import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { WalletProvider } from '../../kernel/graphql/enums.js';
import { CurrencyCodeScalar } from '../../kernel/graphql/scalars.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { WalletStatus } from './wallet.states.js';

export const WalletStatusEnum = {
  ACTIVE: 'ACTIVE',
  SUSPENDED: 'SUSPENDED',
  CLOSED: 'CLOSED',
} satisfies Record<WalletStatus, WalletStatus>;

registerEnumType(WalletStatusEnum, {
  name: 'WalletStatus',
  description: 'Whether a wallet can pay.',
  valuesConfig: {
    ACTIVE: { description: 'It can pay.' },
    SUSPENDED: { description: 'It cannot pay for now.' },
    CLOSED: { description: 'It will not pay again.' },
  },
});

@Directive('@key(fields: "id")')
@ObjectType('Wallet', { description: "A traveler's account at a wallet provider, in one currency." })
export class WalletType {
  @Field(() => ID, { description: 'The id of the wallet.' })
  id!: string;

  @Field(() => WalletProvider, { description: 'Who keeps the wallet.' })
  provider!: `${WalletProvider}`;

  @Field(() => CurrencyCodeScalar, { description: 'The currency the wallet pays in.' })
  currencyCode!: Currency;

  @Field(() => String, { description: 'What tells it from the other wallets of its owner, masked: `PayPal a•••@…`.' })
  label!: string;

  @Field(() => WalletStatusEnum, { description: 'Whether it can pay.' })
  status!: WalletStatus;

  @Field(() => Date, { description: 'When it was linked.' })
  linkedAt!: Date;
}

@Directive('@inaccessible')
@ObjectType('WalletVault', { description: 'What the payments service needs to charge a wallet.' })
export class WalletVaultType {
  @Field(() => WalletProvider, { description: 'Who keeps the wallet.' })
  provider!: `${WalletProvider}`;

  @Field(() => String, { description: "The provider's token. Never shown, never logged." })
  vaultReference!: string;

  @Field(() => WalletStatusEnum, { description: 'Whether a payment that has not reached the wallet yet should.' })
  status!: WalletStatus;
}
