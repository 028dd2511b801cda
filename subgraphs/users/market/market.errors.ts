import { ConflictError } from '../../kernel/error.js';

export class MarketNotLive extends ConflictError {
  /** @param reason `NOT_LIVE`: the home market. `NO_CORRIDOR`: it is live, but not towards that network and country. */
  constructor(marketCode: string, reason: 'NOT_LIVE' | 'NO_CORRIDOR') {
    super('MARKET_NOT_LIVE', 'Travelers of your market cannot pay here yet.', { market: marketCode, reason });
  }
}
