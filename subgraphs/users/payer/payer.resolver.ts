import { Arg, Ctx, Directive, ID, Query, Resolver } from 'type-graphql';
import { Network } from '../../kernel/graphql/enums.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { CountryCodeScalar } from '../../kernel/graphql/scalars.js';
import { parseId } from '../../kernel/id.js';
import type { UsersContext } from '../context.js';
import type { Payer } from './payer.service.js';
import { CheckoutPayerType } from './payer.type.js';

@Resolver(() => CheckoutPayerType)
export class PayerResolver {
  @Directive('@inaccessible')
  @Query(() => CheckoutPayerType, { description: 'For the payments service alone.' })
  async checkoutPayer(
    @Arg('travelerId', () => ID, { description: 'Who pays.' }) travelerId: string,
    @Arg('walletId', () => ID, { description: 'From which wallet.' }) walletId: string,
    @Arg('merchantId', () => ID, { description: 'Whom.' }) merchantId: string,
    @Arg('network', () => Network, { description: 'Through which network.' }) network: Network,
    @Arg('countryCode', () => CountryCodeScalar, { description: 'Where.' }) countryCode: string,
    @Ctx() { payers, principal }: UsersContext,
  ): Promise<CheckoutPayerType> {
    principal.requireService('payments');
    const payer = await payers.get({
      travelerId: parseId('trv', travelerId),
      walletId: parseId('wal', walletId),
      merchantId: parseId('mer', merchantId),
      network,
      countryCode,
    });
    return toType(payer);
  }
}

function toType({ limits, partnerIds, ...rest }: Payer): CheckoutPayerType {
  const { perPayment, perYear } = limits;
  return {
    ...rest,
    partnerIds: [...partnerIds],
    limits: { perPayment: MoneyType.of(perPayment), perYear: MoneyType.of(perYear) },
  };
}
