import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { NotFoundError } from '../../kernel/error.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { parseId } from '../../kernel/id.js';
import type { PaymentsContext } from '../context.js';
import type { Payment } from '../payment/payment.entity.js';
import { PaymentType } from '../payment/payment.type.js';
import type { Refund } from './refund.entity.js';
import { RefundPaymentInput, RefundPaymentPayload, RefundType } from './refund.type.js';

@Resolver(() => RefundType)
export class RefundResolver {
  @Mutation(() => RefundPaymentPayload, {
    description:
      'Gives money back, whole or in part. For the merchant. Errors: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, INVALID_MONEY, ' +
      'INVALID_REASON, REFUND_NOT_ALLOWED, REFUND_EXCEEDS_PAYMENT, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.',
  })
  async refundPayment(
    @Arg('input', () => RefundPaymentInput, { description: 'What to give back.' }) input: RefundPaymentInput,
    @Ctx() { refunds, principal }: PaymentsContext,
  ): Promise<{ refund: Refund }> {
    const { paymentId, amount, reason, idempotencyKey } = input;
    return refunds.request(principal.requireKnown(), {
      paymentId: parseId('pay', paymentId),
      amount: amount ?? null,
      reason,
      idempotencyKey,
    });
  }

  @FieldResolver(() => MoneyType)
  amount(@Root() refund: Refund): MoneyType {
    return MoneyType.of(refund.buy);
  }

  @FieldResolver(() => MoneyType)
  total(@Root() refund: Refund): MoneyType {
    return MoneyType.of(refund.sell);
  }

  @FieldResolver(() => PaymentType, { description: 'The payment that is refunded.' })
  async payment(@Root() refund: Refund, @Ctx() { loaders }: PaymentsContext): Promise<Payment> {
    const payment = await loaders.payment.load(refund.paymentId);
    if (!payment) throw new NotFoundError();
    return payment;
  }
}
