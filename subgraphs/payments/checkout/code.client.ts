import { z } from 'zod';
import { CodeKind, Network } from '../../kernel/graphql/enums.js';
import { type SubgraphClient, wireMoney } from '../../kernel/graphql/subgraph.client.js';
import { type CodeId, type MerchantId, parseId } from '../../kernel/id.js';
import { currencyOf } from '../../kernel/money/currency.js';

const codeSchema = z.object({
  checkoutCode: z.object({
    network: z.enum(Network),
    kind: z.enum(CodeKind),
    merchantId: z.string().transform((id): MerchantId => parseId('mer', id)),
    merchantName: z.string(),
    networkMerchantId: z.string(),
    countryCode: z.string(),
    amount: wireMoney.nullable(),
    currencyCode: z.string().transform(currencyOf),
    reference: z.string().nullable(),
    expiresAt: z.coerce.date().nullable(),
    codeId: z
      .string()
      .transform((id): CodeId => parseId('cod', id))
      .nullable(),
  }),
});
export type ScannedCode = z.infer<typeof codeSchema>['checkoutCode'];

/** What merchants knows of a code. */
export class CodeClient {
  constructor(private readonly merchants: SubgraphClient) {}

  /** @throws INVALID_CODE, CODE_EXPIRED, MARKET_NOT_LIVE, NETWORK_UNAVAILABLE, SUBGRAPH_UNAVAILABLE */
  async resolve(payload: string): Promise<ScannedCode> {
    const { checkoutCode } = await this.merchants.ask(
      `query CheckoutCode($payload: String!) {
        checkoutCode(payload: $payload) {
          network kind merchantId merchantName networkMerchantId countryCode amount { amount currencyCode } currencyCode reference expiresAt codeId
        }
      }`,
      { payload },
      codeSchema,
    );
    return checkoutCode;
  }
}
