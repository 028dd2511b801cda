import { buildSubgraph, type SubgraphSchema } from '../kernel/graphql/subgraph.schema.js';
import { QuoteResolver } from './quote/quote.resolver.js';
import { RateResolver } from './rate/rate.resolver.js';
import { references } from './references.js';

/** The schema alone, without a database. */
export function buildFxSchema(): Promise<SubgraphSchema> {
  return buildSubgraph([RateResolver, QuoteResolver], references);
}
