import { z } from 'zod';
import { type Network, WalletProvider } from '../../kernel/graphql/enums.js';
import { type SubgraphClient, wireMoney } from '../../kernel/graphql/subgraph.client.js';
import { type MerchantId, type PartnerId, parseId, type TravelerId, type WalletId } from '../../kernel/id.js';
import { currencyOf } from '../../kernel/money/currency.js';

const payerSchema = z.object({
  checkoutPayer: z.object({
    walletId: z.string(),
    provider: z.enum(WalletProvider),
    currencyCode: z.string().transform(currencyOf),
    marketCode: z.string(),
    limits: z.object({ perPayment: wireMoney, perYear: wireMoney }),
    partnerIds: z.array(z.string().transform((id): PartnerId => parseId('ptr', id))),
  }),
});
export type Payer = z.infer<typeof payerSchema>['checkoutPayer'];

/** What users knows of a payer. */
export class PayerClient {
  constructor(private readonly users: SubgraphClient) {}

  /** @throws NOT_FOUND, WALLET_NOT_USABLE, MARKET_NOT_LIVE, SUBGRAPH_UNAVAILABLE */
  async payer(request: {
    readonly travelerId: TravelerId;
    readonly walletId: WalletId;
    readonly merchantId: MerchantId;
    readonly network: Network;
    readonly countryCode: string;
  }): Promise<Payer> {
    const { checkoutPayer } = await this.users.ask(
      `query CheckoutPayer($travelerId: ID!, $walletId: ID!, $merchantId: ID!, $network: Network!, $countryCode: CountryCode!) {
        checkoutPayer(travelerId: $travelerId, walletId: $walletId, merchantId: $merchantId, network: $network, countryCode: $countryCode) {
          walletId provider currencyCode marketCode
          limits { perPayment { amount currencyCode } perYear { amount currencyCode } }
          partnerIds
        }
      }`,
      { ...request },
      payerSchema,
    );
    return checkoutPayer;
  }
}

const vaultSchema = z.object({ walletVault: z.object({ vaultReference: z.string().min(1) }) });

/** The provider's reference of a wallet: asked for when it is needed, kept nowhere else. */
export class VaultClient {
  constructor(private readonly users: SubgraphClient) {}

  /** @throws NOT_FOUND, SUBGRAPH_UNAVAILABLE */
  async vaultReference(walletId: WalletId): Promise<string> {
    const { walletVault } = await this.users.ask(
      'query WalletVault($walletId: ID!) { walletVault(walletId: $walletId) { vaultReference } }',
      { walletId },
      vaultSchema,
    );
    return walletVault.vaultReference;
  }
}
