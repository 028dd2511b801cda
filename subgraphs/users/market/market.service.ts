import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { Market } from './market.entity.js';
import { SpendingLimit } from './spending-limit.entity.js';

export class MarketService {
  constructor(
    private readonly em: EntityManager,
    private readonly now: Clock,
  ) {}

  /** All markets: those that are live first, then by name. */
  async list(): Promise<Market[]> {
    const markets = await this.em.fork().find(Market, {}, { orderBy: { name: 1 } });
    return [...markets.filter(isLive), ...markets.filter((market) => !isLive(market))];
  }

  async find(codes: readonly string[]): Promise<Market[]> {
    return this.em.fork().find(Market, { code: [...codes] });
  }

  /** The limits that hold today, one for each network that a market's travelers may pay through. */
  async findLimits(marketCodes: readonly string[]): Promise<SpendingLimit[]> {
    const today = this.now().toISOString().slice(0, 10);
    const limits = await this.em.fork().find(
      SpendingLimit,
      {
        marketCode: [...marketCodes],
        validFrom: { $lte: today },
        $or: [{ validUntil: null }, { validUntil: { $gt: today } }],
      },
      { orderBy: { marketCode: 1, network: 1, validFrom: 1 } },
    );
    // The last of each pair wins.
    return [...new Map(limits.map((limit) => [`${limit.marketCode} ${limit.network}`, limit])).values()];
  }
}

function isLive(market: Market): boolean {
  return market.status === 'LIVE';
}
