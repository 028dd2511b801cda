import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../kernel/graphql/connection.js';
import { MoneyInput, MoneyType } from '../../kernel/graphql/money.type.js';
import type { RefundId } from '../../kernel/id.js';

export enum RefundStatusType {
  PROCESSING = 'PROCESSING',
  COMPLETED = 'COMPLETED',
  FAILED = 'FAILED',
}

registerEnumType(RefundStatusType, {
  name: 'RefundStatus',
  description: 'Where a refund stands.',
  valuesConfig: {
    PROCESSING: { description: 'The money is on its way back.' },
    COMPLETED: { description: 'The payer has the money. Final.' },
    FAILED: { description: 'The network refused; the payment stands as before. Final.' },
  },
});

@ObjectType('Refund', { description: "Money on its way back to the payer, at the payment's own rate." })
export class RefundType {
  @Field(() => ID, { description: 'The id of the refund.' })
  id!: RefundId;

  @Field(() => RefundStatusType, { description: 'Where the refund stands.' })
  status!: RefundStatusType;

  @Field(() => MoneyType, { description: 'What the merchant gives back.' })
  amount!: MoneyType;

  @Field(() => MoneyType, { description: 'What the payer gets back.' })
  total!: MoneyType;

  @Field(() => String, { description: 'Why, in the words of who asked for it.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Why it failed, or goes no further, as a code to switch on.' })
  failureReason!: string | null;

  @Field(() => Date, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When the payer had the money.' })
  completedAt!: Date | null;
}

export const RefundConnection = connectionType('Refund', () => RefundType);

@InputType({ description: 'What to give back.' })
export class RefundPaymentInput {
  @Field(() => ID, { description: 'The payment to refund.' })
  paymentId!: string;

  @Field(() => MoneyInput, {
    nullable: true,
    description: "How much, in the merchant's currency; all that is left when absent.",
  })
  amount?: MoneyInput | null;

  @Field(() => String, { description: 'Why: 1 to 80 characters, shown to the payer.' })
  reason!: string;

  @Field(() => String, { description: 'A new random text for each refund, the same one on a retry.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The refund that was started.' })
export class RefundPaymentPayload {
  @Field(() => RefundType, { description: 'The refund, at work.' })
  refund!: RefundType;
}
