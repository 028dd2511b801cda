import { Directive, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../kernel/graphql/connection.js';
import { Network } from '../../kernel/graphql/enums.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import type { PaymentEventId, PaymentId } from '../../kernel/id.js';

export enum PaymentStatusType {
  PROCESSING = 'PROCESSING',
  PAID = 'PAID',
  COMPLETED = 'COMPLETED',
  DECLINED = 'DECLINED',
  FAILED = 'FAILED',
  IN_REVIEW = 'IN_REVIEW',
}

registerEnumType(PaymentStatusType, {
  name: 'PaymentStatus',
  description: 'Where a payment stands.',
  valuesConfig: {
    PROCESSING: { description: 'The wallet or the network is being asked.' },
    PAID: { description: 'The merchant has been paid; the wallet is charged next.' },
    COMPLETED: { description: 'The merchant is paid and the wallet is charged. Final.' },
    DECLINED: { description: 'The wallet said no; nothing was charged. Final.' },
    FAILED: { description: 'The network said no; what was held is free again. Final.' },
    IN_REVIEW: { description: 'A person decides, because the other sides contradict each other.' },
  },
});

export enum PaymentEventTypeType {
  CONFIRMED = 'CONFIRMED',
  AUTHORIZED = 'AUTHORIZED',
  SUBMITTED = 'SUBMITTED',
  PAID = 'PAID',
  COMPLETED = 'COMPLETED',
  DECLINED = 'DECLINED',
  FAILED = 'FAILED',
  IN_REVIEW = 'IN_REVIEW',
  REFUND_REQUESTED = 'REFUND_REQUESTED',
  REFUNDED = 'REFUNDED',
  REFUND_FAILED = 'REFUND_FAILED',
}

registerEnumType(PaymentEventTypeType, {
  name: 'PaymentEventType',
  description: 'What happened to a payment.',
  valuesConfig: {
    CONFIRMED: { description: 'The payer accepted the price.' },
    AUTHORIZED: { description: 'The wallet holds the money.' },
    SUBMITTED: { description: 'The network is asked to pay the merchant.' },
    PAID: { description: 'The merchant was paid.' },
    COMPLETED: { description: 'The wallet was charged.' },
    DECLINED: { description: 'The wallet refused.' },
    FAILED: { description: 'The network refused, and the hold is given free.' },
    IN_REVIEW: { description: 'A person has to decide.' },
    REFUND_REQUESTED: { description: 'The merchant gives money back.' },
    REFUNDED: { description: 'The payer has the money back.' },
    REFUND_FAILED: { description: 'The network refused to take the money back from the merchant.' },
  },
});

@ObjectType({ description: 'One thing that happened to a payment. Events of a payment are numbered without a gap.' })
abstract class HappenedType {
  @Field(() => Int, { description: 'The number of the event within its payment, from 1.' })
  sequence!: number;

  @Field(() => PaymentEventTypeType, { description: 'What happened.' })
  type!: PaymentEventTypeType;

  @Field(() => PaymentStatusType, { description: 'Where the payment stood then.' })
  status!: PaymentStatusType;

  @Field(() => Boolean, { description: 'The payment had reached a final status; only refunds can follow.' })
  terminal!: boolean;

  @Field(() => Date, { description: 'When it happened.' })
  occurredAt!: Date;
}

@ObjectType('PaymentEvent', { description: 'One thing that happened to a payment. Events are numbered without a gap.' })
export class PaymentEventGraphType extends HappenedType {
  @Field(() => ID, { description: 'The id of the event.' })
  id!: PaymentEventId;
}

@Directive('@key(fields: "id")')
@ObjectType('PaymentEventDelivery', { description: 'An event as a subscription delivers it.' })
export class PaymentEventDeliveryType extends HappenedType {
  @Field(() => ID, { description: 'The id of the event.' })
  id!: PaymentEventId;
}

@Directive('@key(fields: "id")')
@ObjectType('Payment', { description: 'One confirmed checkout on its way from the wallet to the merchant.' })
export class PaymentType {
  @Field(() => ID, { description: 'The id of the payment.' })
  id!: PaymentId;

  @Field(() => PaymentStatusType, { description: 'Where the payment stands.' })
  status!: PaymentStatusType;

  @Field(() => Boolean, { description: 'The status will not change any more.' })
  isFinal!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Why the wallet or the network said no, as a code to switch on. Of the wallet: WALLET_DECLINED, WALLET_CLOSED, WALLET_RESTRICTED, ' +
      'WALLET_LIMIT_EXCEEDED, PAYER_ACTION_REQUIRED; to all but the payer it is WALLET_DECLINED. Of the network: NETWORK_REFUSED, ' +
      'NETWORK_CANCELLED, CODE_ALREADY_PAID, CODE_EXPIRED, TIMED_OUT.',
  })
  declineReason!: string | null;

  @Field(() => MoneyType, { description: 'What the merchant gets.' })
  amount!: MoneyType;

  @Field(() => MoneyType, { description: 'What the payer gives, everything included.' })
  total!: MoneyType;

  @Field(() => MoneyType, { description: 'What the merchant has given back or is giving back.' })
  refundedAmount!: MoneyType;

  @Field(() => Network, { description: 'The network that reaches the merchant.' })
  network!: Network;

  @Field(() => String, { nullable: true, description: "The merchant's own reference of the order." })
  reference!: string | null;

  @Field(() => Date, { description: 'When the payer accepted the price.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When the merchant was paid.' })
  paidAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When the wallet was charged.' })
  completedAt!: Date | null;
}

@InputType({ description: 'Which payments to list.' })
export class PaymentFilterInput {
  @Field(() => PaymentStatusType, { nullable: true, description: 'Only payments with this status.' })
  status?: PaymentStatusType | null;
}

export const PaymentConnection = connectionType('Payment', () => PaymentType);
