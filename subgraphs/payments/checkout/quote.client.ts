import { z } from 'zod';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import { type SubgraphClient, wireMoney } from '../../kernel/graphql/subgraph.client.js';
import { parseId, type QuoteId } from '../../kernel/id.js';
import type { Currency } from '../../kernel/money/currency.js';
import type { Money } from '../../kernel/money/money.js';

const quoteSchema = z.object({
  issueQuote: z.object({
    id: z.string().transform((id): QuoteId => parseId('quo', id)),
    expiresAt: z.coerce.date(),
    sell: wireMoney,
    buy: wireMoney,
    spread: wireMoney,
    fee: wireMoney,
  }),
});
export type Quote = z.infer<typeof quoteSchema>['issueQuote'];

/** Locked prices from fx. A quote that nobody uses expires by itself, so asking twice does no harm. */
export class QuoteClient {
  constructor(private readonly fx: SubgraphClient) {}

  /** @throws RATE_UNAVAILABLE, SUBGRAPH_UNAVAILABLE */
  async issue(request: {
    readonly sellCurrency: Currency;
    readonly buy: Money;
    readonly marketCode: string;
    readonly provider: WalletProvider;
    readonly network: Network;
  }): Promise<Quote> {
    const { sellCurrency, buy, marketCode, provider, network } = request;
    const { issueQuote } = await this.fx.ask(
      `mutation IssueQuote($input: IssueQuoteInput!) {
        issueQuote(input: $input) {
          id expiresAt
          sell { amount currencyCode } buy { amount currencyCode } spread { amount currencyCode } fee { amount currencyCode }
        }
      }`,
      {
        input: {
          sellCurrency,
          buy: { amount: buy.toDecimal(), currencyCode: buy.currency },
          marketCode,
          provider,
          network,
        },
      },
      quoteSchema,
    );
    return issueQuote;
  }
}
