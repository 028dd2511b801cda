import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { parseId } from '../../kernel/id.js';
import type { UsersContext } from '../context.js';
import type { Market } from '../market/market.entity.js';
import { MarketType } from '../market/market.type.js';
import type { WalletView } from '../wallet/wallet.service.js';
import { WalletType } from '../wallet/wallet.type.js';
import type { TravelerProfile } from './traveler.service.js';
import { TravelerType } from './traveler.type.js';

@Resolver(() => TravelerType)
export class TravelerResolver {
  @Query(() => TravelerType, {
    nullable: true,
    description: 'A traveler: for the traveler themselves and operators. Errors: INVALID_ID, NOT_FOUND.',
  })
  traveler(
    @Arg('id', () => ID, { description: 'Which traveler.' }) id: string,
    @Ctx() { travelers, principal }: UsersContext,
  ): Promise<TravelerProfile> {
    return travelers.get(parseId('trv', id), principal.requireKnown());
  }

  @FieldResolver()
  displayName(@Root() traveler: TravelerProfile): string | null {
    return traveler.details?.displayName ?? null;
  }

  @FieldResolver()
  legalName(@Root() traveler: TravelerProfile): string | null {
    return traveler.details?.legalName ?? null;
  }

  @FieldResolver()
  email(@Root() traveler: TravelerProfile): string | null {
    return traveler.details?.email ?? null;
  }

  @FieldResolver(() => MarketType, { nullable: true, description: 'Where the traveler is at home.' })
  homeMarket(@Root() traveler: TravelerProfile, @Ctx() { loaders }: UsersContext): Promise<Market | null> | null {
    return traveler.homeMarketCode === null ? null : loaders.market.load(traveler.homeMarketCode);
  }

  @FieldResolver(() => [WalletType], {
    nullable: true,
    description: "The traveler's wallets, in the order in which they were linked.",
  })
  wallets(@Root() traveler: TravelerProfile, @Ctx() { loaders }: UsersContext): Promise<WalletView[]> | null {
    return traveler.hidden ? null : loaders.walletsOfTraveler.load(traveler.id);
  }
}
