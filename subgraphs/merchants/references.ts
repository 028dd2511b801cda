import type { ReferenceResolver } from '../kernel/graphql/subgraph.schema.js';
import { parseId } from '../kernel/id.js';
import type { MerchantsContext } from './context.js';

/** What other subgraphs refer to. A merchant's facts are public: whoever may see the payment may see who was paid. */
export const references: Readonly<Record<string, ReferenceResolver<MerchantsContext>>> = {
  Merchant: (reference, { loaders }) => loaders.merchant.load(parseId('mer', reference['id'] ?? '')),
};
