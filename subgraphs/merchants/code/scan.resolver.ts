import { Arg, Ctx, Directive, Query, Resolver } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import type { MerchantsContext } from '../context.js';
import { CheckoutCodeType, ResolvedCodeType } from './code.type.js';

@Resolver()
export class ScanResolver {
  // Asks the network for each code that is not ours.
  @Directive('@cost(weight: 100)')
  @Query(() => ResolvedCodeType, {
    nullable: true,
    description:
      'Says whose code was scanned. Errors: UNAUTHENTICATED, INVALID_CODE (`details.reason`: MALFORMED, TAMPERED, FOREIGN, ' +
      'UNKNOWN), CODE_EXPIRED (`details.reason`: EXPIRED, PAID, CLOSED), MARKET_NOT_LIVE, NETWORK_UNAVAILABLE.',
  })
  async resolveCode(
    @Arg('payload', () => String, { description: 'The text in the QR, as it was scanned.' }) payload: string,
    @Ctx() { scans, principal }: MerchantsContext,
  ): Promise<ResolvedCodeType> {
    principal.requireKnown();
    const { network, kind, merchant, amount, reference, expiresAt } = await scans.resolve(payload);
    return { network, kind, merchant, amount: amount && MoneyType.of(amount), reference, expiresAt };
  }

  @Directive('@inaccessible')
  @Query(() => CheckoutCodeType, { description: 'For the payments service alone.' })
  async checkoutCode(
    @Arg('payload', () => String, { description: 'The text in the QR, as it was scanned.' }) payload: string,
    @Ctx() { scans, principal }: MerchantsContext,
  ): Promise<CheckoutCodeType> {
    principal.requireService('payments');
    const { merchant, amount, currency, ...code } = await scans.resolve(payload);
    return {
      ...code,
      merchantId: merchant.id,
      merchantName: merchant.name,
      countryCode: merchant.countryCode,
      amount: amount && MoneyType.of(amount),
      currencyCode: currency,
    };
  }
}
