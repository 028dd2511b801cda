import type { EntityManager } from '@mikro-orm/postgresql';
import type { OperatorId, PaymentEventId, PaymentId, ResolutionId } from '../../kernel/id.js';

/** COMPLETE_AFTER_CAPTURE: the merchant is paid, so the payer is charged. */
export type ResolutionAction = 'COMPLETE_AFTER_CAPTURE';
export type Verdict = 'APPROVED' | 'REJECTED';

/** What one operator proposes to do with a payment in review, and what another one says to it. Never changed. */
export interface Resolution {
  readonly id: ResolutionId;
  readonly paymentId: PaymentId;
  readonly action: ResolutionAction;
  readonly note: string;
  /** What the payment was when it was proposed: its number of events and its legs. */
  readonly eventCount: number;
  readonly authorizationStatus: string;
  readonly acceptanceStatus: string;
  readonly proposedBy: OperatorId;
  readonly proposedAt: Date;
  readonly verdict: Verdict | null;
  readonly decidedBy: OperatorId | null;
  readonly decidedAt: Date | null;
  readonly decisionNote: string | null;
}

export type Proposal = Omit<Resolution, 'verdict' | 'decidedBy' | 'decidedAt' | 'decisionNote'>;

export async function insertProposal(em: EntityManager, proposal: Proposal): Promise<void> {
  const { id, paymentId, action, note, eventCount, authorizationStatus, acceptanceStatus } = proposal;
  await em.execute(
    `insert into payment_resolution (id, payment_id, action, note, event_count, authorization_status, acceptance_status,
       proposed_by, proposed_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      id,
      paymentId,
      action,
      note,
      eventCount,
      authorizationStatus,
      acceptanceStatus,
      proposal.proposedBy,
      proposal.proposedAt,
    ],
  );
}

/** @param eventId what an approval did to the payment, by its event */
export async function insertDecision(
  em: EntityManager,
  { id, proposedBy }: Resolution,
  decision: { verdict: Verdict; note: string; decidedBy: OperatorId; decidedAt: Date; eventId: PaymentEventId | null },
): Promise<void> {
  const { verdict, note, decidedBy, decidedAt, eventId } = decision;
  await em.execute(
    `insert into payment_resolution_decision (resolution_id, verdict, note, proposed_by, decided_by, decided_at, event_id)
       values (?, ?, ?, ?, ?, ?, ?)`,
    [id, verdict, note, proposedBy, decidedBy, decidedAt, eventId],
  );
}

export async function findResolution(em: EntityManager, id: ResolutionId): Promise<Resolution | null> {
  const rows = await em.execute<
    (Omit<Resolution, 'proposedAt' | 'decidedAt'> & Record<'proposedAt' | 'decidedAt', string | null>)[]
  >(
    `select id, payment_id as "paymentId", action, proposal.note, event_count as "eventCount",
            authorization_status as "authorizationStatus", acceptance_status as "acceptanceStatus",
            proposal.proposed_by as "proposedBy", proposed_at as "proposedAt", verdict, decided_by as "decidedBy",
            decided_at as "decidedAt", decision.note as "decisionNote"
       from payment_resolution proposal left join payment_resolution_decision decision on decision.resolution_id = proposal.id
      where proposal.id = ?`,
    [id],
  );
  const [row] = rows;
  return row
    ? {
        ...row,
        proposedAt: new Date(row.proposedAt ?? 0),
        decidedAt: row.decidedAt === null ? null : new Date(row.decidedAt),
      }
    : null;
}
