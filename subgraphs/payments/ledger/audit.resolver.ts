import { Arg, Ctx, Directive, FieldResolver, Query, Resolver } from 'type-graphql';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { DateScalar } from '../../kernel/graphql/scalars.js';
import type { PaymentsContext } from '../context.js';
import { requireReviewer } from '../review/reviewer.js';
import type { SealVerification, TrialBalance } from './audit.service.js';
import {
  BookDiscrepancyType,
  type BrokenSealType,
  LedgerProofType,
  SealVerificationType,
  TrialBalanceType,
} from './audit.type.js';

const UNDER_WAY =
  'SUBGRAPH_UNAVAILABLE with `details.progress: UNDER_WAY` while millions of postings are read: ask again in a while.';

@Resolver(() => LedgerProofType)
export class LedgerAuditResolver {
  @Query(() => TrialBalanceType, {
    description:
      'The books at the end of a day. For operators with the scope payments:review. Errors: UNAUTHENTICATED, FORBIDDEN, INVALID_RANGE; ' +
      UNDER_WAY,
  })
  @Directive('@cost(weight: 100)')
  async trialBalance(
    @Arg('day', () => DateScalar, { description: 'The day, in UTC.' }) day: string,
    @Ctx() { audits, principal }: PaymentsContext,
  ): Promise<TrialBalanceType> {
    requireReviewer(principal);
    return shownBalance(await audits.trialBalance(day));
  }

  @Query(() => LedgerProofType, {
    description:
      'Recomputes the books. For operators with the scope payments:review. Errors: UNAUTHENTICATED, FORBIDDEN; ' +
      UNDER_WAY,
  })
  ledgerProof(@Ctx() { principal }: PaymentsContext): object {
    requireReviewer(principal);
    return {};
  }

  @FieldResolver(() => [BookDiscrepancyType])
  discrepancies(@Ctx() { audits }: PaymentsContext): Promise<readonly BookDiscrepancyType[]> {
    return audits.discrepancies();
  }

  @FieldResolver(() => SealVerificationType)
  async seals(@Ctx() { audits }: PaymentsContext): Promise<SealVerificationType> {
    return shownSeals(await audits.verifySeals());
  }
}

function shownBalance({ day, lines, totals }: TrialBalance): TrialBalanceType {
  return {
    day,
    lines: lines.map(({ accountClass, debits, credits, balance }) => ({
      accountClass,
      debits: MoneyType.of(debits),
      credits: MoneyType.of(credits),
      balance: MoneyType.of(balance),
    })),
    totals: totals.map(({ debits, credits, isBalanced }) => ({
      currencyCode: debits.currency,
      debits: MoneyType.of(debits),
      credits: MoneyType.of(credits),
      isBalanced,
    })),
  };
}

function shownSeals({ firstBroken, ...figures }: SealVerification): SealVerificationType {
  const broken = firstBroken && {
    ...firstBroken,
    sequence: String(firstBroken.sequence),
    fromId: String(firstBroken.fromId),
    toId: String(firstBroken.toId),
    broken: firstBroken.broken as BrokenSealType['broken'],
  };
  return { ...figures, firstBroken: broken };
}
