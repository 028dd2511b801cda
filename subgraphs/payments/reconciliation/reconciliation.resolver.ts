import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, connectionOf, Paged, pageRequest } from '../../kernel/graphql/connection.js';
import { MoneyType } from '../../kernel/graphql/money.type.js';
import { idPattern } from '../../kernel/id.js';
import type { PaymentsContext } from '../context.js';
import { requireReviewer } from '../review/reviewer.js';
import type { Break, Evidence, Run } from './findings.service.js';
import {
  ReconciliationBreakConnection,
  ReconciliationBreaksArgs,
  ReconciliationEvidenceType,
  ReconciliationRunConnection,
} from './reconciliation.type.js';

/** A day and its market: the place of a run in the list. */
const RUN_KEY = /^\d{4}-\d\d-\d\d [A-Z]{2}$/;

@Resolver()
export class ReconciliationResolver {
  @Paged()
  @Query(() => ReconciliationRunConnection, {
    description:
      'The days that were reconciled, the last first. For operators with the scope payments:review. Errors: UNAUTHENTICATED, FORBIDDEN, INVALID_PAGE, INVALID_CURSOR.',
  })
  async reconciliationRuns(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Ctx() { findings, principal }: PaymentsContext,
  ): Promise<Connection<Run>> {
    requireReviewer(principal);
    const page = await findings.runs(pageRequest(args, RUN_KEY));
    return connectionOf(
      page,
      (run) => `${run.day} ${run.marketCode}`,
      (run) => run,
    );
  }

  @Paged()
  @Query(() => ReconciliationBreakConnection, {
    description:
      'Where our records and the statements of both sides disagree, the last found first. For operators with the scope payments:review. Errors: UNAUTHENTICATED, ' +
      'FORBIDDEN, INVALID_PAGE, INVALID_CURSOR.',
  })
  async reconciliationBreaks(
    @Args(() => ReconciliationBreaksArgs) args: ReconciliationBreaksArgs,
    @Ctx() { findings, principal }: PaymentsContext,
  ): Promise<Connection<Break>> {
    const filter = { type: args.type ?? null, open: args.open ?? null };
    requireReviewer(principal);
    const page = await findings.breaks(filter, pageRequest(args, idPattern('brk')));
    return connectionOf(
      page,
      (found) => found.id,
      (found) => found,
    );
  }
}

@Resolver(() => ReconciliationEvidenceType)
export class ReconciliationEvidenceResolver {
  @FieldResolver(() => MoneyType)
  amount(@Root() evidence: Evidence): MoneyType {
    return MoneyType.of(evidence.amount);
  }

  @FieldResolver(() => MoneyType, { nullable: true })
  fee(@Root() evidence: Evidence): MoneyType | null {
    return evidence.fee && MoneyType.of(evidence.fee);
  }
}
