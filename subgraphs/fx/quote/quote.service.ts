import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { QuoteId } from '../../kernel/id.js';
import { Money } from '../../kernel/money/money.js';
import { RateUnavailable, requireCurrency } from '../rate/rate.errors.js';
import type { RateService } from '../rate/rate.service.js';
import { PricingRule } from './pricing-rule.entity.js';
import { Quote } from './quote.entity.js';

export interface IssueQuote {
  readonly sellCurrency: string;
  /** What the merchant is to get. */
  readonly buy: { readonly amount: string; readonly currencyCode: string };
  readonly marketCode: string;
  readonly provider: `${WalletProvider}`;
  readonly network: `${Network}`;
}

export class QuoteService {
  constructor(
    private readonly em: EntityManager,
    private readonly rates: RateService,
    private readonly now: Clock,
  ) {}

  /**
   * Locks a price for five minutes. That a quote is used once is the payment's law: it has the unique index.
   * @throws InvalidError INVALID_MONEY, InvalidCurrency
   * @throws RateUnavailable without a current rate, and for a corridor that has no price
   */
  async issue(command: IssueQuote): Promise<Quote> {
    const buy = Money.parsePositive(command.buy.amount, command.buy.currencyCode);
    const sellCurrency = requireCurrency(command.sellCurrency);
    const market = await this.rates.current(sellCurrency, buy.currency);
    const now = this.now();
    return transaction(this.em, async (em) => {
      const rule = await em.findOne(PricingRule, {
        marketCode: command.marketCode,
        provider: command.provider,
        network: command.network,
        sellCurrency,
        buyCurrency: buy.currency,
        validFrom: { $lte: now },
        $or: [{ validTo: null }, { validTo: { $gt: now } }],
      });
      if (!rule) throw new RateUnavailable(sellCurrency, buy.currency);
      const quote = Quote.issued(rule, buy, market, now);
      em.persist(quote);
      return quote;
    });
  }

  async find(ids: readonly QuoteId[]): Promise<Quote[]> {
    return this.em.fork().find(Quote, { id: [...ids] });
  }
}
