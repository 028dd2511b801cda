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
