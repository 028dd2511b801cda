import { Directive, Field, ID, ObjectType } from 'type-graphql';
import type { ReferenceResolver } from '../kernel/graphql/subgraph.schema.js';
import { parseId } from '../kernel/id.js';
import type { UsersContext } from './context.js';
import { hiddenTraveler, maySeeTraveler } from './traveler/traveler.service.js';

/** What other subgraphs refer to: the answer depends on who asks, as everywhere. */
export const references: Readonly<Record<string, ReferenceResolver<UsersContext>>> = {
  Traveler: (reference, { principal, loaders }) => {
    const id = parseId('trv', reference['id'] ?? '');
    return maySeeTraveler(principal, id) ? loaders.traveler.load(id) : hiddenTraveler(id);
  },
  Wallet: (reference, { loaders }) => loaders.wallet.load(parseId('wal', reference['id'] ?? '')),
  Market: (reference, { loaders }) => loaders.market.load(reference['code'] ?? ''),
};

@Directive('@key(fields: "id", resolvable: false)')
@ObjectType('Merchant', { description: 'Who is paid.' })
export class MerchantReference {
  @Field(() => ID, { description: 'The id of the merchant.' })
  id!: string;
}
