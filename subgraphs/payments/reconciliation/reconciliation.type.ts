import { ArgsType, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ConnectionArgs, connectionType } from '../../kernel/graphql/connection.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { DateScalar } from '../../kernel/graphql/scalars.js';

export enum ReconciliationSourceType {
  NETWORK = 'NETWORK',
  WALLET = 'WALLET',
}

export enum ReconciliationBreakTypeType {
  MISSING_AT_NETWORK = 'MISSING_AT_NETWORK',
  MISSING_AT_WALLET = 'MISSING_AT_WALLET',
  MISSING_HERE = 'MISSING_HERE',
  AMOUNT_DIFFERS = 'AMOUNT_DIFFERS',
  CURRENCY_DIFFERS = 'CURRENCY_DIFFERS',
  STATUS_DIFFERS = 'STATUS_DIFFERS',
  MERCHANT_DIFFERS = 'MERCHANT_DIFFERS',
  FEE_DIFFERS = 'FEE_DIFFERS',
  DUPLICATE = 'DUPLICATE',
}

registerEnumType(ReconciliationSourceType, {
  name: 'ReconciliationSource',
  description: 'Whose statement a break was found with.',
  valuesConfig: {
    NETWORK: { description: "The network's bill." },
    WALLET: { description: "The wallet provider's report." },
  },
});

registerEnumType(ReconciliationBreakTypeType, {
  name: 'ReconciliationBreakType',
  description: 'How a statement and our records disagree.',
  valuesConfig: {
    MISSING_AT_NETWORK: { description: 'We hold it for settled; the network does not state it.' },
    MISSING_AT_WALLET: { description: 'We hold it for settled; the wallet provider does not state it.' },
    MISSING_HERE: { description: 'They state a movement that we know nothing of.' },
    AMOUNT_DIFFERS: { description: 'Another amount.' },
    CURRENCY_DIFFERS: { description: 'Another currency.' },
    STATUS_DIFFERS: { description: 'Settled for one, not for the other.' },
    MERCHANT_DIFFERS: { description: 'The money went to another merchant.' },
    FEE_DIFFERS: { description: 'They kept another fee than we were told.' },
    DUPLICATE: { description: 'It moved more than once.' },
  },
});

@ObjectType('ReconciliationRun', { description: 'A day of a market, compared with the statements of both sides.' })
export class ReconciliationRunType {
  @Field(() => String, { description: "The travelers' home market." })
  marketCode!: string;

  @Field(() => DateScalar, { description: "The day, in the network's time zone." })
  day!: string;

  @Field(() => Int, { nullable: true, description: 'How many lines the network stated; null: no result yet.' })
  networkLines!: number | null;

  @Field(() => Int, { nullable: true, description: 'How many lines the wallet provider stated; null: no result yet.' })
  walletLines!: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why the last attempt failed; the result is then an earlier one.',
  })
  failure!: string | null;

  @Field(() => Date, { description: 'When it was last attempted.' })
  attemptedAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When the result was made.' })
  completedAt!: Date | null;
}

@ObjectType('ReconciliationEvidence', { description: 'What one side knows of a movement.' })
export class ReconciliationEvidenceType {
  @Field(() => String, { nullable: true, description: "The network's or the provider's number of it." })
  externalId!: string | null;

  @Field(() => MoneyType, { description: 'How much.' })
  amount!: MoneyType;

  @Field(() => String, { description: 'Where it stands, in the words of that side.' })
  status!: string;

  @Field(() => Date, { nullable: true, description: 'When it happened.' })
  at!: Date | null;

  @Field(() => String, { nullable: true, description: "The merchant's number at the network." })
  merchantId!: string | null;

  @Field(() => MoneyType, { nullable: true, description: 'What was kept of it.' })
  fee!: MoneyType | null;
}

@ObjectType('ReconciliationBreak', { description: 'A disagreement between our records and a statement.' })
export class ReconciliationBreakGraphType {
  @Field(() => ID, { description: 'The id of the break: the same as long as it is found on that day.' })
  id!: string;

  @Field(() => String, { description: "The travelers' home market." })
  marketCode!: string;

  @Field(() => DateScalar, { description: 'The day that was reconciled.' })
  day!: string;

  @Field(() => ReconciliationSourceType, { description: 'Whose statement disagrees.' })
  source!: ReconciliationSourceType;

  @Field(() => ReconciliationBreakTypeType, { description: 'How.' })
  type!: ReconciliationBreakTypeType;

  @Field(() => ID, { description: 'The payment or refund; their number of the movement where we have neither.' })
  subject!: string;

  @Field(() => ReconciliationEvidenceType, { nullable: true, description: 'What we know.' })
  here!: ReconciliationEvidenceType | null;

  @Field(() => [ReconciliationEvidenceType], { description: 'What they state: several lines of a duplicate.' })
  there!: ReconciliationEvidenceType[];

  @Field(() => Date, { description: 'When it was found first.' })
  firstSeenAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was found no more; null: it is open.' })
  closedAt!: Date | null;
}

export const ReconciliationRunConnection = connectionType('ReconciliationRun', () => ReconciliationRunType);
export const ReconciliationBreakConnection = connectionType('ReconciliationBreak', () => ReconciliationBreakGraphType);

@ArgsType()
export class ReconciliationBreaksArgs extends ConnectionArgs {
  @Field(() => ReconciliationBreakTypeType, { nullable: true, description: 'Only breaks of this type.' })
  type?: ReconciliationBreakTypeType | null;

  @Field(() => Boolean, { nullable: true, description: 'Only those that are open, or only those that are closed.' })
  open?: boolean | null;
}
