import { defineEntity, p } from '@mikro-orm/core';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { MarketStatus } from './market.states.js';

const MarketSchema = defineEntity({
  name: 'Market',
  tableName: 'market',
  properties: {
    code: p.string().primary(),
    name: p.string(),
    status: p.string().$type<MarketStatus>(),
    currencyCode: p.string().$type<Currency>(),
    walletProviders: p.array().$type<`${WalletProvider}`[]>(),
  },
});

/** Where travelers are at home, with their currency and the wallets they may pay from. Rows come with migrations. */
export class Market extends MarketSchema.class {}

MarketSchema.setClass(Market);
