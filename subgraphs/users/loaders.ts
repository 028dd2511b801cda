import type DataLoader from 'dataloader';
import type { PartnerId, TravelerId, WalletId } from '../kernel/id.js';
import { manyByKey, oneByKey } from '../kernel/loader.js';
import type { Principal } from '../kernel/principal.js';
import type { Market } from './market/market.entity.js';
import type { MarketService } from './market/market.service.js';
import type { SpendingLimit } from './market/spending-limit.entity.js';
import type { Partner } from './partner/partner.entity.js';
import type { PartnerService } from './partner/partner.service.js';
import type { TravelerProfile, TravelerService } from './traveler/traveler.service.js';
import type { WalletService, WalletView } from './wallet/wallet.service.js';

/** One per request: what it caches was read with that request's rights. */
export interface UsersLoaders {
  /** In clear: ask only for travelers that the asker may see. */
  readonly traveler: DataLoader<TravelerId, TravelerProfile | null>;
  readonly walletsOfTraveler: DataLoader<TravelerId, WalletView[]>;
  /** Null for a wallet that the asker may not see. */
  readonly wallet: DataLoader<WalletId, WalletView | null>;
  readonly market: DataLoader<string, Market | null>;
  readonly limitsOfMarket: DataLoader<string, SpendingLimit[]>;
  readonly partner: DataLoader<PartnerId, Partner | null>;
}

export interface LoaderSources {
  readonly travelers: TravelerService;
  readonly wallets: WalletService;
  readonly markets: MarketService;
  readonly partners: PartnerService;
}

export function createLoaders(
  { travelers, wallets, markets, partners }: LoaderSources,
  asker: Principal,
): UsersLoaders {
  return {
    traveler: oneByKey(
      (ids) => travelers.find(ids),
      (traveler) => traveler.id,
    ),
    walletsOfTraveler: manyByKey(
      (ids) => wallets.findOfTravelers(ids),
      (wallet) => wallet.travelerId,
    ),
    wallet: oneByKey(
      (ids) => wallets.find(ids, asker),
      (wallet) => wallet.id,
    ),
    market: oneByKey(
      (codes) => markets.find(codes),
      (market) => market.code,
    ),
    limitsOfMarket: manyByKey(
      (codes) => markets.findLimits(codes),
      (limit) => limit.marketCode,
    ),
    partner: oneByKey(
      (ids) => partners.find(ids),
      (partner) => partner.id,
    ),
  };
}
