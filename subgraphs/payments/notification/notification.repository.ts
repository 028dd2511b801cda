import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import type { PaymentStatus } from '../payment/payment.states.js';

export interface ReceivedNotification {
  readonly source: 'PAYPAL' | 'WECHAT_PAY';
  /** The sender's id of it: the same one is only counted once. */
  readonly id: string;
  readonly eventType: string;
  /** The payment or refund it speaks of, where we could tell. */
  readonly subjectId: string | null;
  /** It says that the network has paid the merchant. */
  readonly saysPaid: boolean;
}

export interface Receipt {
  /** False when it was here before. */
  readonly isNew: boolean;
  /** Of the payment that it speaks of; null for anything else. */
  readonly paymentStatus: PaymentStatus | null;
}

/** Remembers notifications, in one statement of its own. @returns a receipt for each, in their order */
export async function receive(em: EntityManager, notifications: readonly ReceivedNotification[]): Promise<Receipt[]> {
  const rows = await runStatement<{ nth: number; is_new: boolean; status: PaymentStatus | null }>(
    em,
    `with given as (
       select * from unnest(?::text[], ?::text[], ?::text[], ?::text[]) with ordinality as given (source, id, event_type, subject_id, nth)),
     stored as (
       insert into notification (source, id, event_type, subject_id)
         select source, id, event_type, subject_id from given order by source, id
       on conflict do nothing returning source, id)
     select given.nth::int as nth, stored.id is not null as is_new, payment.status
       from given left join stored using (source, id) left join payment on payment.id = given.subject_id collate "C"
      order by given.nth`,
    [
      notifications.map(({ source }) => source),
      notifications.map(({ id }) => id),
      notifications.map(({ eventType }) => eventType),
      notifications.map(({ subjectId }) => subjectId),
    ],
  );
  const seen = new Set<string>();
  return notifications.map(({ source, id }, index) => {
    const row = rows[index];
    const name = `${source} ${id}`;
    // Of one that came twice at the same moment the first one is new.
    const isNew = row?.is_new === true && !seen.has(name);
    seen.add(name);
    return { isNew, paymentStatus: row?.status ?? null };
  });
}

/**
 * Forgets the oldest ones from before this moment, at most `most`, and never one that another process forgets now.
 * @returns how many
 */
export async function forget(em: EntityManager, before: Date, most: number): Promise<number> {
  // By their places: rows here never change, and the planner cannot think of reading the whole table.
  const [row] = await em.execute<{ count: number }[]>(
    `with gone as (
       delete from notification where ctid = any(array(
         select ctid from notification where received_at < ? order by received_at limit ? for update skip locked))
       returning 1)
     select count(*)::int as count from gone`,
    [before, most],
  );
  return row?.count ?? 0;
}
