import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { receive } from '../../../subgraphs/payments/notification/notification.repository.js';
import { World } from '../../support/world.js';

let world: World;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${world.lines.notifications}${path}`, { method: 'POST', body, headers });

const received = () =>
  world.payments.em
    .fork()
    .execute<{ source: string; event_type: string; subject_id: string | null; count: number }[]>(
      'select source, event_type, subject_id, count(*)::int as count from notification group by 1, 2, 3',
    );

describe('The notification routes', () => {
  it('take what the wallet and the network sign, each once however often it is sent', async () => {
    const paymentId = await world.pay('duplicate-notifications');
    await world.settled(paymentId);
    const ours = await world.eventually(10_000, async () => {
      const rows = (await received()).filter(({ subject_id }) => subject_id === paymentId);
      return new Set(rows.map(({ source }) => source)).size === 2 ? rows : null;
    });
    for (const { count } of ours) expect(count).toBe(1);
    const { events } = await eventsOf(paymentId);
    expect(events).toBe(5);
  });

  it('take one that comes five times at the same moment once', async () => {
    const notification = { source: 'PAYPAL', id: 'WH-1', eventType: 'x', subjectId: null, saysPaid: false } as const;
    const other = { ...notification, id: 'WH-2' };
    const batches = [[notification], [other, notification, notification], [notification], [notification, other]];
    const taken = await Promise.all(batches.map((batch) => receive(world.payments.em.fork(), batch)));
    expect(taken.map((receipts) => receipts.length)).toEqual([1, 3, 1, 2]);
    const news = batches.flatMap((batch, nth) => batch.filter((_, place) => taken[nth]?.[place]?.isNew));
    expect(news.map(({ id }) => id).toSorted()).toEqual(['WH-1', 'WH-2']);
    const again = await receive(world.payments.em.fork(), [other, notification]);
    expect(again.map(({ isNew }) => isNew)).toEqual([false, false]);
  });

  it('are told what is known of the payment that they speak of', async () => {
    const id = await world.pay('ok');
    expect(await world.settled(id)).toBe('COMPLETED');
    const about = (subjectId: string | null) =>
      ({ source: 'PAYPAL', id: `WH-of-${subjectId}`, eventType: 'x', subjectId, saysPaid: false }) as const;
    const receipts = await receive(world.payments.em.fork(), [about(null), about(id), about('ref_us_none')]);
    expect(receipts).toEqual([
      { isNew: true, paymentStatus: null },
      { isNew: true, paymentStatus: 'COMPLETED' },
      { isNew: true, paymentStatus: null },
    ]);
  });

  it.each(['/notifications/paypal', '/notifications/wechat-pay'])('refuse at %s what nobody signed', async (path) => {
    const before = await received();
    for (const body of ['', '{}', 'garbage', JSON.stringify({ id: 'EV-1', event_type: 'TRANSACTION.SUCCESS' })]) {
      const answer = await post(path, body, { 'content-type': 'application/json' });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toMatch(/Error|at /);
    }
    expect(await received()).toEqual(before);
  });

  it('finish a slow payment by the word of the network', async () => {
    const paymentId = await world.pay('slow');
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    const rows = await world.eventually(10_000, async () => {
      const found = (await received()).filter(
        ({ subject_id, source }) => subject_id === paymentId && source === 'WECHAT_PAY',
      );
      return found.length > 0 ? found : null;
    });
    expect(rows[0]?.event_type).toBe('PAYMENT.RESULT');
  });
});

async function eventsOf(paymentId: string): Promise<{ events: number }> {
  const [row] = await world.payments.em
    .fork()
    .execute<{ events: number }[]>('select count(*)::int as events from payment_event where payment_id = ?', [
      paymentId,
    ]);
  return row ?? { events: 0 };
}
