import { NotFoundError } from '../kernel/error.js';
import type { ReferenceResolver } from '../kernel/graphql/subgraph.schema.js';
import { parseId } from '../kernel/id.js';
import type { MerchantsContext } from './context.js';
import type { Merchant } from './merchant/merchant.entity.js';

/** What other subgraphs refer to. A merchant's facts are public: whoever may see the payment may see who was paid. */
export const references: Readonly<Record<string, ReferenceResolver<MerchantsContext>>> = {
  // The load comes first: after an `await` it could not be batched.
  Merchant: (reference, { loaders }) => loaders.merchant.load(parseId('mer', reference['id'] ?? '')).then(found),
};

/** @throws NotFoundError: an id of ours that names nobody, from a token of another place */
function found(merchant: Merchant | null): Merchant {
  if (!merchant) throw new NotFoundError();
  return merchant;
}
