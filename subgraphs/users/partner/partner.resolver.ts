import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { InvalidError } from '../../kernel/error.js';
import { type Connection, ConnectionArgs, connectionOf, pageRequest } from '../../kernel/graphql/connection.js';
import type { PageRequest } from '../../kernel/page.js';
import type { UsersContext } from '../context.js';
import { MerchantReference } from '../references.js';
import { hiddenTraveler, type TravelerProfile } from '../traveler/traveler.service.js';
import { TravelerType } from '../traveler/traveler.type.js';
import type { Partner, PartnerGrant } from './partner.entity.js';
import { PartnerGrantConnection, PartnerGrantType, PartnerType } from './partner.type.js';

@Resolver(() => PartnerType)
export class PartnerResolver {
  @FieldResolver(() => PartnerGrantConnection, { description: 'Whose payments the partner may see, newest first.' })
  async grants(
    @Root() partner: Partner,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { partners }: UsersContext,
  ): Promise<Connection<PartnerGrant>> {
    const page = await partners.listGrants(partner.id, grantPage(args));
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

/** @throws InvalidError INVALID_PAGE, INVALID_CURSOR: the cursor of a grant is its position */
function grantPage(args: ConnectionArgs): PageRequest {
  const page = pageRequest(args);
  for (const cursor of [page.after, page.before])
    if (cursor !== null && !/^\d{1,18}$/.test(cursor))
      throw new InvalidError('INVALID_CURSOR', 'This cursor is not one of ours.');
  return page;
}
