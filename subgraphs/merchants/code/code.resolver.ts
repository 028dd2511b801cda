import { Arg, Ctx, Directive, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { renderSVG } from 'uqr';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { parseId } from '../../kernel/id.js';
import type { MerchantsContext } from '../context.js';
import type { Merchant } from '../merchant/merchant.entity.js';
import { MerchantType } from '../merchant/merchant.type.js';
import type { PaymentCode } from './code.entity.js';
import type { CodeStatus } from './code.states.js';
import {
  CancelPaymentCodeInput,
  CancelPaymentCodePayload,
  CodeStatusEnum,
  CreatePaymentCodeInput,
  CreatePaymentCodePayload,
  PaymentCodeType,
} from './code.type.js';
import { requestedAmount, requestedReference } from './requested-code.js';

@Resolver(() => PaymentCodeType)
export class CodeResolver {
  @Query(() => PaymentCodeType, {
    nullable: true,
    description: 'A code, for the members of its merchant. Errors: UNAUTHENTICATED, INVALID_ID, NOT_FOUND.',
  })
  paymentCode(
    @Arg('id', () => ID, { description: 'Which code.' }) id: string,
    @Ctx() { codes, principal }: MerchantsContext,
  ): Promise<PaymentCode> {
    principal.requireKnown();
    return codes.get(parseId('cod', id), principal);
  }

  // Asks the network.
  @Directive('@cost(weight: 100)')
  @Mutation(() => CreatePaymentCodePayload, {
    description:
      'Makes a code. Errors: UNAUTHENTICATED, FORBIDDEN, INVALID_ID, NOT_FOUND, INVALID_MONEY, INVALID_REFERENCE, ' +
      'INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED, MERCHANT_NOT_ON_NETWORK, MARKET_NOT_LIVE, NETWORK_UNAVAILABLE, CODE_REFUSED, CODE_EXPIRED.',
  })
  async createPaymentCode(
    @Arg('input', () => CreatePaymentCodeInput, { description: 'The code to make.' }) input: CreatePaymentCodeInput,
    @Ctx() { codes, principal }: MerchantsContext,
  ): Promise<{ code: PaymentCode }> {
    principal.requireKnown();
    const code = await codes.create(
      {
        merchantId: parseId('mer', input.merchantId),
        amount: input.amount ? requestedAmount(input.amount.amount, input.amount.currencyCode) : null,
        reference: requestedReference(input.reference),
        idempotencyKey: input.idempotencyKey ?? null,
      },
      principal,
    );
    return { code };
  }

  @Mutation(() => CancelPaymentCodePayload, {
    description:
      'Closes a code for good. Errors: UNAUTHENTICATED, FORBIDDEN, INVALID_ID, NOT_FOUND, NETWORK_UNAVAILABLE, and CODE_EXPIRED when it was paid.',
  })
  async cancelPaymentCode(
    @Arg('input', () => CancelPaymentCodeInput, { description: 'The code to cancel.' }) input: CancelPaymentCodeInput,
    @Ctx() { codes, principal }: MerchantsContext,
  ): Promise<{ code: PaymentCode }> {
    principal.requireKnown();
    return { code: await codes.cancel(parseId('cod', input.codeId), principal) };
  }

  @FieldResolver(() => CodeStatusEnum, { description: 'Whether it can be paid.' })
  status(@Root() code: PaymentCode, @Ctx() { now }: MerchantsContext): CodeStatus {
    return code.statusAt(now());
  }

  @FieldResolver(() => MoneyType, { nullable: true, description: 'What is to be paid; null for a STATIC code.' })
  amount(@Root() code: PaymentCode): MoneyType | null {
    return code.amount && MoneyType.of(code.amount);
  }

  @FieldResolver(() => MerchantType, { nullable: true, description: 'Whose code it is.' })
  merchant(@Root() code: PaymentCode, @Ctx() { loaders }: MerchantsContext): Promise<Merchant | null> {
    return loaders.merchant.load(code.merchantId);
  }

  // Drawn anew each time.
  @Directive('@cost(weight: 10)')
  @FieldResolver(() => String, { description: 'The QR as an SVG document.' })
  image(@Root() code: PaymentCode): string {
    // A quiet zone of four modules: with less, some scanners do not see the code.
    return renderSVG(code.payload ?? '', { ecc: 'M', border: 4 });
  }
}
