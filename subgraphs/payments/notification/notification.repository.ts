import type { EntityManager } from '@mikro-orm/postgresql';

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

/** Remembers a notification. @returns false when it was here before */
export async function receive(em: EntityManager, notification: ReceivedNotification): Promise<boolean> {
  const rows = await em.execute<unknown[]>(
    `insert into notification (source, id, event_type, subject_id) values (?, ?, ?, ?) on conflict do nothing returning id`,
    [notification.source, notification.id, notification.eventType, notification.subjectId],
  );
  return rows.length > 0;
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
