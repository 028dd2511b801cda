import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { MerchantId, PartnerId, TravelerId, WalletId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { MarketStatus } from '../market/market.states.js';
import type { WalletStatus } from '../wallet/wallet.states.js';

export interface PayerQuery {
  readonly travelerId: TravelerId;
  readonly walletId: WalletId;
  readonly merchantId: MerchantId;
  readonly network: `${Network}`;
  readonly countryCode: string;
}

/** What the tables say about a traveler who wants to pay, as they say it. */
export interface PayerRow {
  readonly provider: `${WalletProvider}`;
  readonly currency_code: Currency;
  readonly wallet_status: WalletStatus;
  readonly market_code: string;
  readonly market_status: MarketStatus;
  readonly wallet_providers: readonly string[];
  readonly has_corridor: boolean;
  readonly limit_currency: Currency | null;
  readonly per_payment_minor: string | null;
  readonly per_year_minor: string | null;
  readonly partner_ids: readonly PartnerId[];
}

/** The scope with which a partner sees the payments of those who granted it sight. */
const SIGHT = 'payments:read';

/** Everything in one round trip: this is asked for each checkout. Null when the wallet is not that traveler's. */
export async function findPayer(em: EntityManager, query: PayerQuery, today: string): Promise<PayerRow | null> {
  const { travelerId, walletId, merchantId, network, countryCode } = query;
  const [row] = await runStatement<PayerRow>(
    em,
    `select wallet.provider, wallet.currency_code, wallet.status as wallet_status,
            market.code as market_code, market.status as market_status, market.wallet_providers,
            exists (select 1 from corridor where market_code = market.code and network = ? and country_code = ?)
              as has_corridor,
            spending.currency_code as limit_currency, spending.per_payment_minor, spending.per_year_minor,
            array(select distinct partner_id::text from partner_grant
                    join partner on partner.id = partner_grant.partner_id
                   where subject_id in (traveler.id, ?) and revoked_at is null and ? = any(partner.scopes)
                   order by 1) as partner_ids
       from wallet
       join traveler on traveler.id = wallet.traveler_id and traveler.erased_at is null
       join market on market.code = traveler.home_market_code
       left join lateral (
         select * from spending_limit
          where market_code = market.code and network = ? and valid_from <= ?::date
            and (valid_until is null or valid_until > ?::date)
          order by valid_from desc limit 1) as spending on true
      where wallet.id = ? and wallet.traveler_id = ?`,
    [network, countryCode, merchantId, SIGHT, network, today, today, walletId, travelerId],
  );
  return row ?? null;
}
