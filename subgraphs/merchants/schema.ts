import { buildSubgraph, type SubgraphSchema } from '../kernel/graphql/subgraph.schema.js';
import { CodeResolver } from './code/code.resolver.js';
import { ScanResolver } from './code/scan.resolver.js';
import { MerchantResolver } from './merchant/merchant.resolver.js';
import { references } from './references.js';

/** The schema alone, without a database. */
export function buildMerchantsSchema(): Promise<SubgraphSchema> {
  return buildSubgraph([MerchantResolver, CodeResolver, ScanResolver], references);
}
