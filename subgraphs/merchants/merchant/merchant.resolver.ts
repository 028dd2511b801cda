import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, connectionOf, Paged, pageRequest } from '../../kernel/graphql/connection.js';
import { idPattern, parseId } from '../../kernel/id.js';
import type { PaymentCode } from '../code/code.entity.js';
import { requireMember } from '../code/code.service.js';
import { PaymentCodeConnection } from '../code/code.type.js';
import type { MerchantsContext } from '../context.js';
import type { Merchant } from './merchant.entity.js';
import { MerchantType } from './merchant.type.js';

@Resolver(() => MerchantType)
export class MerchantResolver {
  @Query(() => MerchantType, {
    nullable: true,
    description: 'A merchant, for everyone who is signed in. Errors: UNAUTHENTICATED, INVALID_ID, NOT_FOUND.',
  })
  merchant(
    @Arg('id', () => ID, { description: 'Which merchant.' }) id: string,
    @Ctx() { merchants, principal }: MerchantsContext,
  ): Promise<Merchant> {
    principal.requireKnown();
    return merchants.get(parseId('mer', id));
  }

  @Paged()
  @FieldResolver(() => PaymentCodeConnection, {
    nullable: true,
    description:
      "The merchant's codes, newest first: for its members. Errors: UNAUTHENTICATED, NOT_FOUND, INVALID_PAGE, INVALID_CURSOR.",
  })
  async codes(
    @Root() merchant: Merchant,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { loaders, principal }: MerchantsContext,
  ): Promise<Connection<PaymentCode>> {
    requireMember(principal, merchant.id);
    const page = await loaders.codesOfMerchant(pageRequest(args, idPattern('cod'))).load(merchant.id);
    return connectionOf(
      page,
      (code) => code.id,
      (code) => code,
    );
  }
}
