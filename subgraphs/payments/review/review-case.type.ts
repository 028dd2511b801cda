import { Directive, Field, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../kernel/graphql/connection.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';

export enum AuthorizationStatusType {
  REQUESTED = 'REQUESTED',
  HELD = 'HELD',
  CAPTURED = 'CAPTURED',
  VOIDED = 'VOIDED',
  DECLINED = 'DECLINED',
}

registerEnumType(AuthorizationStatusType, {
  name: 'AuthorizationStatus',
  description: 'What we know of the leg at the wallet.',
  valuesConfig: {
    REQUESTED: { description: 'The wallet is, or was, asked to hold the money.' },
    HELD: { description: 'The wallet holds the money.' },
    CAPTURED: { description: 'The money was taken.' },
    VOIDED: { description: 'The money is free again.' },
    DECLINED: { description: 'The wallet said no.' },
  },
});

export enum AcceptanceStatusType {
  PREPARED = 'PREPARED',
  SUBMITTED = 'SUBMITTED',
  ACCEPTED = 'ACCEPTED',
  REFUSED = 'REFUSED',
}

registerEnumType(AcceptanceStatusType, {
  name: 'AcceptanceStatus',
  description: 'What we know of the leg at the network.',
  valuesConfig: {
    PREPARED: { description: 'The network was not asked.' },
    SUBMITTED: { description: 'The network may have been asked.' },
    ACCEPTED: { description: 'The network paid the merchant.' },
    REFUSED: { description: 'The network said no, or was not asked in time.' },
  },
});

export enum WalletHoldType {
  NONE = 'NONE',
  PENDING = 'PENDING',
  HELD = 'HELD',
  CAPTURED = 'CAPTURED',
  RELEASED = 'RELEASED',
  REFUSED = 'REFUSED',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(WalletHoldType, {
  name: 'WalletHold',
  description: 'What the wallet says of the money.',
  valuesConfig: {
    NONE: { description: 'The order is there, and nothing was ever held.' },
    PENDING: { description: 'The wallet has not decided.' },
    HELD: { description: 'It is held.' },
    CAPTURED: { description: 'It was taken.' },
    RELEASED: { description: 'It is free again.' },
    REFUSED: { description: 'The wallet said no.' },
    UNKNOWN: { description: 'The wallet does not answer, or not so that it can be believed.' },
  },
});

export enum NetworkOutcomeType {
  YES = 'YES',
  NO = 'NO',
  IN_PROGRESS = 'IN_PROGRESS',
  MISSING = 'MISSING',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(NetworkOutcomeType, {
  name: 'NetworkOutcome',
  description: 'What the network says of a payment.',
  valuesConfig: {
    YES: { description: 'The merchant was paid.' },
    NO: { description: 'The merchant was not paid and will not be.' },
    IN_PROGRESS: { description: 'It is not decided.' },
    MISSING: { description: 'The network knows no such payment.' },
    UNKNOWN: { description: 'The network does not answer, or not so that it can be believed.' },
  },
});

@ObjectType('AuthorizationEvidence', { description: 'What we have written of the leg at the wallet.' })
export class AuthorizationEvidenceType {
  @Field(() => AuthorizationStatusType, { description: 'Where it stands.' })
  status!: AuthorizationStatusType;

  @Field(() => MoneyType, { description: 'What we asked for.' })
  amount!: MoneyType;

  @Field(() => String, { description: 'The key under which the wallet was asked.' })
  requestId!: string;

  @Field(() => String, { nullable: true, description: "The wallet's id of the order." })
  orderId!: string | null;

  @Field(() => String, { nullable: true, description: "The wallet's id of the hold." })
  authorizationId!: string | null;

  @Field(() => String, { nullable: true, description: "The wallet's id of the capture." })
  captureId!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the hold ends by itself.' })
  expiresAt!: Date | null;
}

@ObjectType('AcceptanceEvidence', { description: 'What we have written of the leg at the network.' })
export class AcceptanceEvidenceType {
  @Field(() => AcceptanceStatusType, { description: 'Where it stands.' })
  status!: AcceptanceStatusType;

  @Field(() => MoneyType, { description: 'What the merchant was to get.' })
  amount!: MoneyType;

  @Field(() => String, { description: 'The id under which the network was asked.' })
  requestId!: string;

  @Field(() => String, { description: "The network's id of the merchant that was to be paid." })
  networkMerchantId!: string;

  @Field(() => String, { nullable: true, description: "The network's id of the payment." })
  networkPaymentId!: string | null;

  @Field(() => String, { nullable: true, description: "The network's id of the merchant's transaction." })
  transactionId!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the network was asked.' })
  submittedAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When we learned that it paid.' })
  acceptedAt!: Date | null;
}

@ObjectType('WalletStatement', { description: 'What the wallet says of the order, asked now.' })
export class WalletStatementType {
  @Field(() => WalletHoldType, { description: 'What became of the money.' })
  hold!: WalletHoldType;

  @Field(() => String, { nullable: true, description: "The wallet's id of the hold." })
  authorizationId!: string | null;

  @Field(() => String, { nullable: true, description: "The wallet's id of the capture." })
  captureId!: string | null;

  @Field(() => MoneyType, { nullable: true, description: 'What is, or was, held.' })
  amount!: MoneyType | null;
}

@ObjectType('NetworkStatement', { description: 'What the network says of the payment, asked now.' })
export class NetworkStatementType {
  @Field(() => NetworkOutcomeType, { description: 'Whether the merchant was paid.' })
  outcome!: NetworkOutcomeType;

  @Field(() => String, { nullable: true, description: "The network's id of the merchant's transaction." })
  transactionId!: string | null;

  @Field(() => String, { nullable: true, description: "The network's id of the merchant that was paid." })
  networkMerchantId!: string | null;

  @Field(() => MoneyType, { nullable: true, description: 'What the merchant got.' })
  amount!: MoneyType | null;

  @Field(() => String, { nullable: true, description: 'What the network calls its no.' })
  code!: string | null;
}

@ObjectType('ReviewCase', { description: 'A payment that waits for a person, with what is known of it.' })
export class ReviewCaseType {
  @Field(() => String, {
    description:
      'Why, as a code: WALLET_OUTCOME_UNKNOWN, WALLET_AMOUNT_DIFFERS, NETWORK_OUTCOME_UNKNOWN, NETWORK_AMOUNT_DIFFERS, ' +
      'NETWORK_MERCHANT_DIFFERS, PAID_AFTER_REFUSAL, CAPTURE_OUTCOME_UNKNOWN, CAPTURE_REFUSED, CAPTURE_AMOUNT_DIFFERS, ' +
      'VOID_OUTCOME_UNKNOWN, VOID_REFUSED, AUTHORIZATION_EXPIRING, AUTHORIZATION_EXPIRED, CONTRADICTION. New ones may be added.',
  })
  reason!: string;

  @Field(() => Date, { description: 'When it began to wait.' })
  since!: Date;

  @Directive('@cost(weight: 10)')
  @Field(() => WalletStatementType, {
    nullable: true,
    description: 'What the wallet says, asked now; null when no order is known to ask for.',
  })
  walletSays!: WalletStatementType | null;

  @Directive('@cost(weight: 10)')
  @Field(() => NetworkStatementType, {
    nullable: true,
    description: 'What the network says, asked now; null when it was never asked to pay.',
  })
  networkSays!: NetworkStatementType | null;
}

export const ReviewCaseConnection = connectionType('ReviewCase', () => ReviewCaseType);
