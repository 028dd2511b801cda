import type { Principal } from '../kernel/principal.js';
import type { UsersLoaders } from './loaders.js';
import type { MarketService } from './market/market.service.js';
import type { PartnerService } from './partner/partner.service.js';
import type { PayerService } from './payer/payer.service.js';
import type { TravelerService } from './traveler/traveler.service.js';
import type { WalletService } from './wallet/wallet.service.js';

export interface UsersServices {
  readonly travelers: TravelerService;
  readonly wallets: WalletService;
  readonly markets: MarketService;
  readonly partners: PartnerService;
  readonly payers: PayerService;
}

/** What a resolver may use. */
export interface UsersContext extends UsersServices {
  readonly principal: Principal;
  readonly loaders: UsersLoaders;
}
