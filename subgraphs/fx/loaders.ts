import type DataLoader from 'dataloader';
import type { QuoteId } from '../kernel/id.js';
import { oneByKey } from '../kernel/loader.js';
import type { Quote } from './quote/quote.entity.js';
import type { QuoteService } from './quote/quote.service.js';

/** One per request. */
export interface FxLoaders {
  readonly quote: DataLoader<QuoteId, Quote | null>;
}

export function createLoaders(quotes: QuoteService): FxLoaders {
  return {
    quote: oneByKey(
      (ids) => quotes.find(ids),
      (quote) => quote.id,
    ),
  };
}
