import type { EntityManager } from '@mikro-orm/postgresql';
import { acceptanceStatuses } from '../acceptance/acceptance.states.js';
import { PAYMENT_ID } from '../payment/payment.repository.js';
import { type OpenStep, OVERDUE_MS } from './patience.js';
import { nextStep } from './saga.states.js';

/** How many stand before a step, how many of them for too long, and for how long the oldest does. */
export interface Undecided {
  readonly subject: 'payment' | 'refund';
  readonly step: string;
  readonly count: number;
  readonly overdue: number;
  readonly oldestSeconds: number;
}

/** A refund is overdue after this; OWED is a person's at once. */
const REFUND_OVERDUE_SECONDS = 600;

/** The step before which each pair of legs stands, as the saga says it: the database is told, and knows no rule. */
const STEPS = [
  { authorization: 'REQUESTED' as const, acceptance: 'PREPARED' as const },
  ...acceptanceStatuses.map((acceptance) => ({ authorization: 'HELD' as const, acceptance })),
].map((legs) => {
  // PREPARED to REFUSED are all of a payment at work, and none of them depends on whether it is PAID.
  const step = nextStep('PROCESSING', legs.authorization, legs.acceptance) as OpenStep;
  return { ...legs, step, seconds: Math.round(OVERDUE_MS[step] / 1_000) };
});

/** All that is at work, by the partial indexes of the saga's own sweep. */
export async function countUndecided(em: EntityManager, now: Date): Promise<Undecided[]> {
  const column = (name: 'authorization' | 'acceptance' | 'step' | 'seconds') =>
    `{${STEPS.map((step) => step[name]).join(',')}}`;
  return em.execute<Undecided[]>(
    `with open as (
       select 'payment' as subject, step.name as step, step.seconds,
              case step.name when 'CAPTURE' then coalesce(paid_at, created_at) when 'INQUIRE' then coalesce(submitted_at, pay_by)
                when 'VOID' then coalesce(submitted_at, pay_by) else created_at end as since
         from payment
         join payment_authorization a on a.payment_id = ${PAYMENT_ID} join payment_acceptance n on n.payment_id = ${PAYMENT_ID}
         join unnest(?::text[], ?::text[], ?::text[], ?::int[]) as step (authorization_status, acceptance_status, name, seconds)
           on a.status = step.authorization_status and n.status = step.acceptance_status
        where payment.status in ('PROCESSING', 'PAID')
       union all
       select 'refund', case leg_status when 'REQUESTED' then 'TAKE' else 'GIVE' end, ${REFUND_OVERDUE_SECONDS}, created_at
         from refund where leg_status in ('REQUESTED', 'TAKEN')
       union all
       select 'refund', 'OWED', 0, created_at from refund where leg_status = 'OWED'
       union all
       select 'payment', 'REVIEW', 0, created_at from payment where status = 'IN_REVIEW')
     select subject, step, count(*)::int as count,
            count(*) filter (where since < ?::timestamptz - seconds * interval '1 second')::int as overdue,
            greatest(0, extract(epoch from ?::timestamptz - min(since)))::float8 as "oldestSeconds"
       from open group by 1, 2 order by 1, 2`,
    [column('authorization'), column('acceptance'), column('step'), column('seconds'), now, now],
  );
}
