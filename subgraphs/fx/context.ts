import type { Principal } from '../kernel/principal.js';
import type { FxLoaders } from './loaders.js';
import type { QuoteService } from './quote/quote.service.js';
import type { RateService } from './rate/rate.service.js';

export interface FxServices {
  readonly rates: RateService;
  readonly quotes: QuoteService;
}

/** What a resolver may use. */
export interface FxContext extends FxServices {
  readonly principal: Principal;
  readonly loaders: FxLoaders;
}
