import { p } from '@mikro-orm/core';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { CodeId, MerchantId, PartnerId, QuoteId, TravelerId, WalletId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';

/** The columns that a checkout hands on to its payment: who pays whom, through what, and at which locked price. */
export const purchaseColumns = () => ({
  travelerId: p.string().$type<TravelerId>(),
  walletId: p.string().$type<WalletId>(),
  walletProvider: p.string().$type<WalletProvider>(),
  marketCode: p.string(),
  merchantId: p.string().$type<MerchantId>(),
  merchantName: p.string(),
  network: p.string().$type<Network>(),
  networkMerchantId: p.string(),
  codeId: p.string().$type<CodeId>().nullable(),
  codePayload: p.string(),
  reference: p.string().nullable(),
  quoteId: p.string().$type<QuoteId>(),
  buyMinor: p.bigint(),
  buyCurrency: p.string().$type<Currency>(),
  sellMinor: p.bigint(),
  sellCurrency: p.string().$type<Currency>(),
  spreadMinor: p.bigint(),
  feeMinor: p.bigint(),
  partnerIds: p.array<PartnerId>(),
});

type Column = keyof ReturnType<typeof purchaseColumns>;
const COLUMNS = Object.keys(purchaseColumns()) as Column[];

/** Their values, to hand on. */
export function purchaseOf<Row extends Record<Column, unknown>>(row: Row): Pick<Row, Column> {
  return Object.fromEntries(COLUMNS.map((column) => [column, row[column]])) as Pick<Row, Column>;
}
