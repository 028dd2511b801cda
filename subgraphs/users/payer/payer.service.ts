import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { NotFoundError } from '../../kernel/error.js';
import type { WalletProvider } from '../../kernel/graphql/enums.js';
import { type PartnerId, type Region, regionOf, type WalletId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import { Money } from '../../kernel/money/money.js';
import { MarketNotLive } from '../market/market.errors.js';
import { WalletNotUsable } from '../wallet/wallet.errors.js';
import { findPayer, type PayerQuery } from './payer.repository.js';

/** What payments must know of a payer to open a checkout. Nothing personal. */
export interface Payer {
  readonly walletId: WalletId;
  readonly provider: `${WalletProvider}`;
  readonly currencyCode: Currency;
  readonly marketCode: string;
  readonly region: Region;
  readonly limits: { readonly perPayment: Money; readonly perYear: Money };
  /** The partners that were granted sight of this traveler's or this merchant's payments. */
  readonly partnerIds: readonly PartnerId[];
}

export class PayerService {
  constructor(
    private readonly em: EntityManager,
    private readonly now: Clock,
  ) {}

  /**
   * Says whether this traveler can pay that merchant from that wallet, and under which limits.
   * @throws NotFoundError, MarketNotLive, WalletNotUsable
   */
  async get(query: PayerQuery): Promise<Payer> {
    const row = await findPayer(this.em.fork(), query, this.now().toISOString().slice(0, 10));
    if (!row) throw new NotFoundError();
    if (row.market_status !== 'LIVE') throw new MarketNotLive(row.market_code, 'NOT_LIVE');
    const { limit_currency: currency, per_payment_minor: perPayment, per_year_minor: perYear } = row;
    // Without a limit nothing may be spent: a network is open to a market only where someone decided how much.
    if (!row.has_corridor || !currency || perPayment === null || perYear === null)
      throw new MarketNotLive(row.market_code, 'NO_CORRIDOR');
    if (row.wallet_status !== 'ACTIVE') throw new WalletNotUsable(row.wallet_status);
    if (!row.wallet_providers.includes(row.provider)) throw new WalletNotUsable('PROVIDER_NOT_IN_MARKET');
    return {
      walletId: query.walletId,
      provider: row.provider,
      currencyCode: row.currency_code,
      marketCode: row.market_code,
      region: regionOf(query.travelerId),
      limits: { perPayment: Money.of(BigInt(perPayment), currency), perYear: Money.of(BigInt(perYear), currency) },
      partnerIds: row.partner_ids,
    };
  }
}
