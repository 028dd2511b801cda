import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, connectionOf, Paged, pageRequest } from '../../kernel/graphql/connection.js';
import type { UsersContext } from '../context.js';
import { MerchantReference } from '../references.js';
import { hiddenTraveler, type TravelerProfile } from '../traveler/traveler.service.js';
import { TravelerType } from '../traveler/traveler.type.js';
import type { Partner, PartnerGrant } from './partner.entity.js';
import { PartnerGrantConnection, PartnerGrantType, PartnerType } from './partner.type.js';

/** The cursor of a grant is its position. */
const POSITION = /^\d{1,18}$/;

@Resolver(() => PartnerType)
export class PartnerResolver {
  @Paged()
  @FieldResolver(() => PartnerGrantConnection, { description: 'Whose payments the partner may see, newest first.' })
  async grants(
    @Root() partner: Partner,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { partners }: UsersContext,
  ): Promise<Connection<PartnerGrant>> {
    const page = await partners.listGrants(partner.id, pageRequest(args, POSITION));
    return connectionOf(
      page,
      (grant) => grant.position.toString(),
      (grant) => grant,
    );
  }
}

@Resolver(() => PartnerGrantType)
export class PartnerGrantResolver {
  @FieldResolver(() => MerchantReference, {
    nullable: true,
    description: 'The merchant, where the grant is a merchant’s.',
  })
  merchant(@Root() { subjectId }: PartnerGrant): MerchantReference | null {
    return isId('mer', subjectId) ? { id: subjectId } : null;
  }

  @FieldResolver(() => TravelerType, { nullable: true, description: 'The traveler, where the grant is a traveler’s.' })
  traveler(@Root() { subjectId }: PartnerGrant): TravelerProfile | null {
    return isId('trv', subjectId) ? hiddenTraveler(subjectId) : null;
  }
}

function isId<Kind extends 'mer' | 'trv'>(kind: Kind, id: string): id is `${Kind}_${string}` {
  return id.startsWith(`${kind}_`);
}
