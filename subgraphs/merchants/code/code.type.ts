import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../kernel/graphql/connection.js';
import { CodeKind, Network } from '../../kernel/graphql/enums.js';
import { MoneyInput, MoneyType } from '../../kernel/graphql/money.type.js';
import { CountryCodeScalar, CurrencyCodeScalar } from '../../kernel/graphql/scalars.js';
import { MerchantType } from '../merchant/merchant.type.js';
import type { CodeStatus } from './code.states.js';

export const CodeStatusEnum = {
  ACTIVE: 'ACTIVE',
  PAID: 'PAID',
  CLOSED: 'CLOSED',
  EXPIRED: 'EXPIRED',
} satisfies Record<CodeStatus, CodeStatus>;

registerEnumType(CodeStatusEnum, {
  name: 'PaymentCodeStatus',
  description: 'Whether a code can be paid.',
  valuesConfig: {
    ACTIVE: { description: 'It can be paid.' },
    PAID: { description: "It was paid, also by a wallet of the network's own. Only a DYNAMIC code is ever PAID." },
    CLOSED: { description: 'The merchant cancelled it, or the network did.' },
    EXPIRED: { description: 'Its time is over.' },
  },
});

@ObjectType('PaymentCode', {
  description: 'What a QR carries, made by or kept for a merchant. Only its members see it.',
})
export class PaymentCodeType {
  @Field(() => ID, { description: 'The id of the code.' })
  id!: string;

  @Field(() => Network, { description: 'The network through which it is paid.' })
  network!: `${Network}`;

  @Field(() => CodeKind, { description: 'Who says the amount.' })
  kind!: `${CodeKind}`;

  @Field(() => String, { description: 'The text to show as a QR.' })
  payload!: string;

  @Field(() => String, { nullable: true, description: "The merchant's own reference, such as a table or an order." })
  reference!: string | null;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Date, { nullable: true, description: 'Until when it can be paid; null for a STATIC code.' })
  expiresAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When we heard that it was paid.' })
  paidAt!: Date | null;
}

export const PaymentCodeConnection = connectionType('PaymentCode', () => PaymentCodeType);

@InputType('CreatePaymentCodeInput', { description: 'A code to make.' })
export class CreatePaymentCodeInput {
  @Field(() => ID, { description: 'For which merchant.' })
  merchantId!: string;

  @Field(() => MoneyInput, {
    nullable: true,
    description: 'What is to be paid, in CNY, at most 500,000.00. Without an amount the code is STATIC.',
  })
  amount?: MoneyInput | null;

  @Field(() => String, { nullable: true, description: "The merchant's own reference, at most 64 characters." })
  reference?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Makes the request safe to repeat: 8 to 128 printable characters. Repeat with it after any error.',
  })
  idempotencyKey?: string | null;
}

@ObjectType('CreatePaymentCodePayload', { description: 'The code that was made.' })
export class CreatePaymentCodePayload {
  @Field(() => PaymentCodeType, { description: 'The code.' })
  code!: PaymentCodeType;
}

@InputType('CancelPaymentCodeInput', { description: 'A code to cancel.' })
export class CancelPaymentCodeInput {
  @Field(() => ID, { description: 'Which code.' })
  codeId!: string;
}

@ObjectType('CancelPaymentCodePayload', { description: 'The code that was cancelled.' })
export class CancelPaymentCodePayload {
  @Field(() => PaymentCodeType, { description: 'The code.' })
  code!: PaymentCodeType;
}

@ObjectType('ResolvedCode', { description: 'Whose code was scanned, and what it asks for.' })
export class ResolvedCodeType {
  @Field(() => Network, { description: 'The network through which it is paid.' })
  network!: `${Network}`;

  @Field(() => CodeKind, { description: 'Who says the amount.' })
  kind!: `${CodeKind}`;

  @Field(() => MerchantType, { description: 'Who is paid.' })
  merchant!: MerchantType;

  @Field(() => MoneyType, { nullable: true, description: 'What is to be paid; null when the payer types it.' })
  amount!: MoneyType | null;

  @Field(() => String, { nullable: true, description: "The merchant's reference." })
  reference!: string | null;

  @Field(() => Date, { nullable: true, description: 'Until when it can be paid; null when it does not expire.' })
  expiresAt!: Date | null;
}

@Directive('@inaccessible')
@ObjectType('CheckoutCode', { description: 'What the payments service must know of a code to open a checkout.' })
export class CheckoutCodeType {
  @Field(() => Network, { description: 'The network through which it is paid.' })
  network!: `${Network}`;

  @Field(() => CodeKind, { description: 'Who says the amount.' })
  kind!: `${CodeKind}`;

  @Field(() => ID, { description: 'Who is paid.' })
  merchantId!: string;

  @Field(() => String, { description: 'The name of the merchant in Latin letters.' })
  merchantName!: string;

  @Field(() => String, { description: "The merchant's number at the network." })
  networkMerchantId!: string;

  @Field(() => CountryCodeScalar, { description: 'Where the merchant is.' })
  countryCode!: string;

  @Field(() => MoneyType, { nullable: true, description: 'What is to be paid; null for a STATIC code.' })
  amount!: MoneyType | null;

  @Field(() => CurrencyCodeScalar, { description: 'In what the merchant is paid.' })
  currencyCode!: string;

  @Field(() => String, { nullable: true, description: "The merchant's reference." })
  reference!: string | null;

  @Field(() => Date, { nullable: true, description: 'Until when it can be paid.' })
  expiresAt!: Date | null;

  @Field(() => ID, { nullable: true, description: 'Our code; null for one that only the network knows.' })
  codeId!: string | null;
}
