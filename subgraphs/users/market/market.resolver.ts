import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import type { UsersContext } from '../context.js';
import type { Market } from './market.entity.js';
import { MarketType, SpendingLimitType } from './market.type.js';
import type { SpendingLimit } from './spending-limit.entity.js';

@Resolver(() => MarketType)
export class MarketResolver {
  @Query(() => [MarketType], { description: 'Every market, the live ones first. Open to everyone.' })
  markets(@Ctx() { markets }: UsersContext): Promise<Market[]> {
    return markets.list();
  }

  @FieldResolver(() => [SpendingLimitType], {
    description: 'The limits that hold today, one for each network that its travelers can pay through.',
  })
  spendingLimits(@Root() market: Market, @Ctx() { loaders }: UsersContext): Promise<SpendingLimit[]> {
    return loaders.limitsOfMarket.load(market.code);
  }
}

@Resolver(() => SpendingLimitType)
export class SpendingLimitResolver {
  @FieldResolver(() => MoneyType, { description: 'The most that one payment may cost the traveler.' })
  perPayment(@Root() limit: SpendingLimit): MoneyType {
    return MoneyType.of(limit.perPayment);
  }

  @FieldResolver(() => MoneyType, { description: 'The most that all payments of a calendar year (UTC) may cost.' })
  perYear(@Root() limit: SpendingLimit): MoneyType {
    return MoneyType.of(limit.perYear);
  }
}
