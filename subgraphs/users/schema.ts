import { buildSubgraph, type SubgraphSchema } from '../kernel/graphql/subgraph.schema.js';
import { MarketResolver, SpendingLimitResolver } from './market/market.resolver.js';
import { PartnerGrantResolver, PartnerResolver } from './partner/partner.resolver.js';
import { PayerResolver } from './payer/payer.resolver.js';
import { references } from './references.js';
import { TravelerResolver } from './traveler/traveler.resolver.js';
import { ViewerResolver } from './viewer/viewer.resolver.js';
import { WalletResolver } from './wallet/wallet.resolver.js';

/** The schema alone, without a database. */
export function buildUsersSchema(): Promise<SubgraphSchema> {
  return buildSubgraph(
    [
      ViewerResolver,
      TravelerResolver,
      WalletResolver,
      MarketResolver,
      SpendingLimitResolver,
      PartnerResolver,
      PartnerGrantResolver,
      PayerResolver,
    ],
    references,
  );
}
