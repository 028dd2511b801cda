import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { Network } from '../../kernel/graphql/enums.js';
import { MoneyInput, MoneyType } from '../../kernel/graphql/money.type.js';
import type { CheckoutId } from '../../kernel/id.js';
import { PaymentType } from '../payment/payment.type.js';

export enum CheckoutStatusType {
  OPEN = 'OPEN',
  CONFIRMED = 'CONFIRMED',
  EXPIRED = 'EXPIRED',
  CANCELLED = 'CANCELLED',
}

registerEnumType(CheckoutStatusType, {
  name: 'CheckoutStatus',
  description: 'What became of a checkout.',
  valuesConfig: {
    OPEN: { description: 'It waits for the payer.' },
    CONFIRMED: { description: 'It is a payment.' },
    EXPIRED: { description: 'The payer took too long.' },
    CANCELLED: { description: 'The payer decided against it.' },
  },
});

@ObjectType('Checkout', {
  description: 'What the payer is about to accept: whom, how much, and every part of the price.',
})
export class CheckoutType {
  @Field(() => ID, { description: 'The id of the checkout.' })
  id!: CheckoutId;

  @Field(() => CheckoutStatusType, { description: 'Whether it can still be confirmed.' })
  status!: CheckoutStatusType;

  @Field(() => Date, { description: 'When it can no longer be confirmed, whatever its price.' })
  expiresAt!: Date;

  @Field(() => Date, { description: 'When the code was resolved.' })
  createdAt!: Date;

  @Field(() => MoneyType, { description: 'What the merchant will get.' })
  amount!: MoneyType;

  @Field(() => MoneyType, { description: 'What the payer will give, everything included.' })
  total!: MoneyType;

  @Field(() => Network, { description: 'The network that reaches the merchant.' })
  network!: Network;

  @Field(() => String, { nullable: true, description: "The merchant's own reference of the order." })
  reference!: string | null;
}

@InputType({ description: 'What a checkout starts from.' })
export class StartCheckoutInput {
  @Field(() => String, { description: 'What the code says, exactly as scanned.' })
  code!: string;

  @Field(() => MoneyInput, { nullable: true, description: 'What to pay; only for a code without an amount.' })
  amount?: MoneyInput | null;

  @Field(() => ID, { description: 'The wallet to pay from.' })
  walletId!: string;

  @Field(() => String, { description: 'A new random text for each checkout, the same one on a retry.' })
  idempotencyKey!: string;
}

@InputType({ description: 'Which checkout needs a new price.' })
export class RequoteCheckoutInput {
  @Field(() => ID, { description: 'The id of the checkout.' })
  checkoutId!: string;
}

@InputType({ description: 'Which checkout to give up.' })
export class CancelCheckoutInput {
  @Field(() => ID, { description: 'The id of the checkout.' })
  checkoutId!: string;
}

@InputType({ description: 'Which checkout to pay.' })
export class ConfirmCheckoutInput {
  @Field(() => ID, { description: 'The id of the checkout.' })
  checkoutId!: string;

  @Field(() => String, { description: 'A new random text for each confirmation, the same one on a retry.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The opened checkout.' })
export class StartCheckoutPayload {
  @Field(() => CheckoutType, { description: 'What the payer is about to accept.' })
  checkout!: CheckoutType;
}

@ObjectType({ description: 'The checkout with its new price.' })
export class RequoteCheckoutPayload {
  @Field(() => CheckoutType, { description: 'What the payer is about to accept.' })
  checkout!: CheckoutType;
}

@ObjectType({ description: 'The checkout that was given up.' })
export class CancelCheckoutPayload {
  @Field(() => CheckoutType, { description: 'The cancelled checkout.' })
  checkout!: CheckoutType;
}

@ObjectType({ description: 'The payment that the checkout became.' })
export class ConfirmCheckoutPayload {
  @Field(() => PaymentType, { description: 'The payment, at work. Follow it by `paymentEvents`.' })
  payment!: PaymentType;
}
