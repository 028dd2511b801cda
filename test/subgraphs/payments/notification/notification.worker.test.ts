import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PgBoss } from 'pg-boss';
import { after, DAY, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { forget, receive } from '../../../../subgraphs/payments/notification/notification.repository.js';
import { NotificationWorker } from '../../../../subgraphs/payments/notification/notification.worker.js';
import { World } from '../../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());
beforeEach(() => execute('delete from notification'));

const execute = <Row>(sql: string) => world.payments.em.fork().execute<Row[]>(sql);
const worker = (inDays = 0) =>
  new NotificationWorker(world.payments.em, null as unknown as PgBoss, () => after(systemClock(), inDays * DAY));

/** So many notifications that came so many days ago. */
async function came(daysAgo: number, count: number): Promise<void> {
  await execute(
    `insert into notification (source, id, event_type, subject_id, received_at)
       select 'PAYPAL', '${daysAgo}-' || n, 'PAYMENT.CAPTURE.COMPLETED', case when n % 2 = 0 then 'pay_us_x' end,
              now() - interval '${daysAgo} days' from generate_series(1, ${count}) n`,
  );
}

async function left(): Promise<Record<string, number>> {
  const rows = await execute<{ age: string; count: number }>(
    `select split_part(id, '-', 1) as age, count(*)::int as count from notification group by 1`,
  );
  return Object.fromEntries(rows.map(({ age, count }) => [age, count]));
}

describe('The worker of notifications', () => {
  it('forgets all that are older than thirty days, however many, and no other', async () => {
    await came(90, 2_500);
    await came(31, 1);
    await came(29, 3);
    await came(0, 2);
    await worker().prune();
    expect(await left()).toEqual({ 29: 3, 0: 2 });
    await worker(2).prune();
    expect(await left()).toEqual({ 0: 2 });
  });

  it('still knows a notification when the most patient of senders tries for the last time', async () => {
    const notification = { source: 'PAYPAL', id: 'WH-1', eventType: 'x', subjectId: null, saysPaid: false } as const;
    expect(await receive(world.payments.em.fork(), [notification])).toMatchObject([{ isNew: true }]);
    await worker(3.5).prune();
    expect(await receive(world.payments.em.fork(), [notification])).toMatchObject([{ isNew: false }]);
  });

  it('goes batch by batch: what two processes forget at once is forgotten once, and neither waits', async () => {
    await came(60, 30);
    const before = systemClock();
    const counts = await Promise.all([1, 2, 3].map(() => forget(world.payments.em.fork(), before, 10)));
    const sum = counts.reduce((total, count) => total + count, 0);
    expect(sum).toBeGreaterThanOrEqual(10);
    expect(await left()).toEqual(sum === 30 ? {} : { 60: 30 - sum });
  });

  it('stops between two batches when the process does', async () => {
    await came(60, 1_500);
    await worker().prune(AbortSignal.abort());
    expect(await left()).toEqual({ 60: 1_500 });
  });

  it('never reads the young ones to find the old ones', async () => {
    await came(1, 20_000);
    await came(60, 10);
    await execute('analyze notification');
    const em = world.payments.em.fork();
    const run = em.execute.bind(em);
    let plan = '';
    em.execute = (async (sql: string, values: unknown[]) => {
      plan = JSON.stringify(await run(`explain (analyze, format json) ${sql}`, values));
      return [];
    }) as typeof em.execute;
    await forget(em, after(systemClock(), -30 * DAY), 1_000);
    expect(plan).toContain('"Index Name":"notification_by_age"');
    expect(plan).not.toContain('Seq Scan');
    expect(await left()).toEqual({ 1: 20_000 });
  });
});
