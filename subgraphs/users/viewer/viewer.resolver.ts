import { Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import { parseId } from '../../kernel/id.js';
import type { UsersContext } from '../context.js';
import type { Partner } from '../partner/partner.entity.js';
import { PartnerType } from '../partner/partner.type.js';
import { MerchantReference } from '../references.js';
import type { TravelerProfile } from '../traveler/traveler.service.js';
import { TravelerType } from '../traveler/traveler.type.js';
import { ViewerType } from './viewer.type.js';

@Resolver(() => ViewerType)
export class ViewerResolver {
  @Query(() => ViewerType, { nullable: true, description: 'Who asks. Errors: UNAUTHENTICATED without a token.' })
  viewer(@Ctx() { principal }: UsersContext): ViewerType {
    return ViewerType.of(principal);
  }

  @FieldResolver(() => TravelerType, { nullable: true, description: 'The viewer as a traveler; null for others.' })
  traveler(@Ctx() { principal, loaders }: UsersContext): Promise<TravelerProfile | null> | null {
    return principal.kind === 'TRAVELER' ? loaders.traveler.load(parseId('trv', principal.subject)) : null;
  }

  @FieldResolver(() => [MerchantReference], {
    // Else a merchants service that is down would take the whole viewer with it.
    nullable: true,
    description: 'The merchants that the viewer may act for.',
  })
  merchants(@Ctx() { principal }: UsersContext): MerchantReference[] {
    return principal.merchantIds.map((id) => ({ id }));
  }

  @FieldResolver(() => PartnerType, { nullable: true, description: 'The viewer as a partner; null for others.' })
  partner(@Ctx() { principal, loaders }: UsersContext): Promise<Partner | null> | null {
    return principal.kind === 'PARTNER' ? loaders.partner.load(parseId('ptr', principal.subject)) : null;
  }
}
