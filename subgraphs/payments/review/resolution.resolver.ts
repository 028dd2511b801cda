import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { NotFoundError } from '../../kernel/error.js';
import { type PaymentId, parseId } from '../../kernel/id.js';
import type { PaymentsContext } from '../context.js';
import type { Payment } from '../payment/payment.entity.js';
import { PaymentType } from '../payment/payment.type.js';
import { DecideResolutionInput, ProposeResolutionInput, ResolutionPayload, ResolutionType } from './resolution.type.js';
import { requireReviewer } from './reviewer.js';

const COMMON =
  'UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_ID, INVALID_NOTE, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED';

@Resolver(() => ResolutionType)
export class ResolutionResolver {
  @Mutation(() => ResolutionPayload, {
    description: `Proposes what to do with a payment in review. For operators with the scope payments:review. Errors: ${COMMON}, RESOLUTION_NOT_ALLOWED.`,
  })
  async proposeResolution(
    @Arg('input', () => ProposeResolutionInput, { description: 'What to do.' }) input: ProposeResolutionInput,
    @Ctx() { resolutions, principal }: PaymentsContext,
  ): Promise<object> {
    const by = requireReviewer(principal);
    const paymentId = parseId('pay', input.paymentId);
    return { resolution: await resolutions.propose(by, { ...input, paymentId }) };
  }

  @Mutation(() => ResolutionPayload, {
    description:
      `Does what another operator has proposed, if nothing has changed since. Errors: ${COMMON}, SECOND_OPERATOR_REQUIRED, ` +
      'RESOLUTION_ALREADY_DECIDED, RESOLUTION_OUTDATED, RESOLUTION_NOT_ALLOWED.',
  })
  async approveResolution(
    @Arg('input', () => DecideResolutionInput, { description: 'Which.' }) input: DecideResolutionInput,
    @Ctx() { resolutions, principal }: PaymentsContext,
  ): Promise<object> {
    const by = requireReviewer(principal);
    return {
      resolution: await resolutions.approve(by, { ...input, resolutionId: parseId('res', input.resolutionId) }),
    };
  }

  @Mutation(() => ResolutionPayload, {
    description: `Refuses what another operator has proposed. Errors: ${COMMON}, SECOND_OPERATOR_REQUIRED, RESOLUTION_ALREADY_DECIDED.`,
  })
  async rejectResolution(
    @Arg('input', () => DecideResolutionInput, { description: 'Which.' }) input: DecideResolutionInput,
    @Ctx() { resolutions, principal }: PaymentsContext,
  ): Promise<object> {
    const by = requireReviewer(principal);
    return { resolution: await resolutions.reject(by, { ...input, resolutionId: parseId('res', input.resolutionId) }) };
  }

  @FieldResolver(() => PaymentType, { description: 'The payment.' })
  async payment(
    @Root() { paymentId }: { paymentId: PaymentId },
    @Ctx() { loaders }: PaymentsContext,
  ): Promise<Payment> {
    const payment = await loaders.payment.load(paymentId);
    if (!payment) throw new NotFoundError();
    return payment;
  }
}
