import { Directive, Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { CurrencyCodeScalar, DateScalar } from '../../kernel/graphql/scalars.js';
import type { Currency } from '../../kernel/money/currency.js';

@ObjectType('TrialBalanceLine', { description: 'What all accounts of one class hold in one currency.' })
export class TrialBalanceLineType {
  @Field(() => String, {
    description:
      'The class, as in `wallet.clearing` (what wallet providers owe us), `payment` (control accounts), `fx.position`, ' +
      '`fx.spread.revenue`, `fee.revenue`, `processor.fee`, `merchant.payable`.',
  })
  accountClass!: string;

  @Field(() => MoneyType, { description: 'All that was posted to their debit.' })
  debits!: MoneyType;

  @Field(() => MoneyType, { description: 'All that was posted to their credit.' })
  credits!: MoneyType;

  @Field(() => MoneyType, { description: 'Debits less credits.' })
  balance!: MoneyType;
}

@ObjectType('TrialBalanceTotal', { description: 'The sums of one currency: they must be equal.' })
export class TrialBalanceTotalType {
  @Field(() => CurrencyCodeScalar, { description: 'The currency of the book.' })
  currencyCode!: Currency;

  @Field(() => MoneyType, { description: 'The debits of all classes.' })
  debits!: MoneyType;

  @Field(() => MoneyType, { description: 'The credits of all classes.' })
  credits!: MoneyType;

  @Field(() => Boolean, { description: 'They are equal.' })
  isBalanced!: boolean;
}

@ObjectType('TrialBalance', {
  description: 'The books of each currency at the end of a day in UTC, as far as it has come.',
})
export class TrialBalanceType {
  @Field(() => DateScalar, { description: 'The day.' })
  day!: string;

  @Field(() => [TrialBalanceLineType], { description: 'By currency, then by class.' })
  lines!: TrialBalanceLineType[];

  @Field(() => [TrialBalanceTotalType], { description: 'One for each currency.' })
  totals!: TrialBalanceTotalType[];
}

@ObjectType('BookDiscrepancy', { description: 'A place where the books contradict themselves.' })
export class BookDiscrepancyType {
  @Field(() => String, { description: 'The broken law, as numbered in the README of payments: `M1` …' })
  invariant!: string;

  @Field(() => String, {
    description: 'Where: the code of an account, a currency, or the id of a payment or checkout.',
  })
  subject!: string;
}

export enum SealBreakType {
  GAP = 'GAP',
  POSTINGS = 'POSTINGS',
}

registerEnumType(SealBreakType, {
  name: 'SealBreak',
  description: 'What is wrong with a seal.',
  valuesConfig: {
    GAP: { description: 'A seal before it is missing.' },
    POSTINGS: { description: 'A posting that it sealed, or the seal itself, was changed, removed or slipped in.' },
  },
});

@ObjectType('BrokenSeal', { description: 'The first link of the chain that does not hold.' })
export class BrokenSealType {
  @Field(() => String, { description: 'The number of the seal.' })
  sequence!: string;

  @Field(() => String, { description: 'The first posting id of its run.' })
  fromId!: string;

  @Field(() => String, { description: 'The last posting id of its run.' })
  toId!: string;

  @Field(() => Int, { description: 'How many postings it sealed.' })
  sealedPostings!: number;

  @Field(() => Int, { description: 'How many are there now.' })
  foundPostings!: number;

  @Field(() => SealBreakType, { description: 'What is wrong.' })
  broken!: SealBreakType;
}

@ObjectType('SealVerification', { description: 'The chain of seals, recomputed from the postings as they are.' })
export class SealVerificationType {
  @Field(() => Int, { description: 'How many seals there are.' })
  seals!: number;

  @Field(() => Int, { description: 'How many postings the verified seals cover.' })
  sealedPostings!: number;

  @Field(() => Int, { description: 'How many postings wait for a seal.' })
  unsealedPostings!: number;

  @Field(() => Date, { nullable: true, description: 'When the last seal was made.' })
  lastSealedAt!: Date | null;

  @Field(() => BrokenSealType, { nullable: true, description: 'The first broken seal; null when the chain holds.' })
  firstBroken!: BrokenSealType | null;
}

@ObjectType('LedgerProof', { description: 'Whether the books agree with themselves. Each field reads all of them.' })
export class LedgerProofType {
  @Directive('@cost(weight: 100)')
  @Field(() => [BookDiscrepancyType], {
    description: 'All totals recomputed from postings and holds, and the other invariants: there must be none.',
  })
  discrepancies!: BookDiscrepancyType[];

  @Directive('@cost(weight: 100)')
  @Field(() => SealVerificationType, { description: 'Whether a posting was changed, removed or slipped in.' })
  seals!: SealVerificationType;
}
