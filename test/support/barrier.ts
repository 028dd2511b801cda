import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';

/** Less than the server lets a transaction of ours sleep. */
const WAITS_WITHIN_MS = 12_000;
const PAUSE_MS = 5;

export interface Barrier {
  /** What locks the rows that all of them need; committed when they may go on. */
  readonly sql: string;
  readonly values?: readonly unknown[];
  /** What those who wait call their connections. */
  readonly whose?: string;
  /** Done while all of them wait. */
  readonly meanwhile?: () => Promise<void>;
}

/**
 * Lets all of them run into one lock, in this order, and lets them go together: whoever comes first is first, and has
 * not yet committed when the others are at the same place. No luck is needed.
 * @throws Error when one of them does not wait
 */
export async function atOnce<Outcome>(
  em: EntityManager,
  { sql, values = [], whose = 'payments', meanwhile }: Barrier,
  contenders: readonly (() => Promise<Outcome>)[],
): Promise<Outcome[]> {
  const holder = em.fork();
  const begun: Promise<Outcome>[] = [];
  await holder.begin();
  try {
    await holder.execute(sql, [...values]);
    for (const contend of contenders) {
      const contending = contend();
      // Whoever waits for all of them hears of it.
      contending.catch(() => undefined);
      begun.push(contending);
      await untilWaiting(em, whose, begun.length);
    }
    await meanwhile?.();
  } finally {
    await holder.commit();
  }
  return Promise.all(begun);
}

async function untilWaiting(em: EntityManager, whose: string, count: number): Promise<void> {
  for (const deadline = Date.now() + WAITS_WITHIN_MS; ; await delay(PAUSE_MS)) {
    const [row] = await em.fork().execute<{ waiting: number }[]>(
      `select count(*)::integer as waiting from pg_stat_activity
        where datname = current_database() and application_name = ? and wait_event_type = 'Lock'`,
      [whose],
    );
    if (row?.waiting === count) return;
    if (Date.now() > deadline) throw new Error(`${row?.waiting} of ${count} wait`);
  }
}
