import type { EntityManager } from '@mikro-orm/postgresql';
import type { PageRequest } from '../../kernel/page.js';
import { LEGS, type Legs, legColumns, legsIn, PAYMENT_ID } from '../payment/payment.repository.js';

/** A payment that waits for a person, with both its legs. */
export interface ReviewCase extends Legs {
  /** When it began to wait. */
  readonly since: Date;
}

/** A page of them, newest payment first, by the index on those alone; one row more than asked tells whether there is more. */
export async function readReviewCases(em: EntityManager, page: PageRequest): Promise<ReviewCase[]> {
  const order = page.backward ? 'asc' : 'desc';
  const rows = await em.execute<(Record<string, unknown> & { since: string | Date })[]>(
    `select ${legColumns(em)}, coalesce((
         select occurred_at from payment_event event
          where event.payment_id = ${PAYMENT_ID} and event.type = 'IN_REVIEW' order by event.sequence desc limit 1), payment.created_at) as since
       from ${LEGS}
      where payment.status = 'IN_REVIEW' and (?::text is null or payment.id < ?) and (?::text is null or payment.id > ?)
      order by payment.id ${order} limit ?`,
    [page.after, page.after, page.before, page.before, page.limit + 1],
  );
  return rows.map((row) => ({ ...legsIn(em, row), since: new Date(row.since) }));
}
