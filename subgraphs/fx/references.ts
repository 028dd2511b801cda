import type { ReferenceResolver } from '../kernel/graphql/subgraph.schema.js';
import { parseId } from '../kernel/id.js';
import type { FxContext } from './context.js';

/** What other subgraphs refer to. A quote holds nothing personal: whoever is signed in and knows its id may see it. */
export const references: Readonly<Record<string, ReferenceResolver<FxContext>>> = {
  Quote: (reference, { principal, loaders }) => {
    principal.requireKnown();
    return loaders.quote.load(parseId('quo', reference['id'] ?? ''));
  },
};
