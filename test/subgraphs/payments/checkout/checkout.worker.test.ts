import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PgBoss } from 'pg-boss';
import { after, HOUR, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { CheckoutWorker } from '../../../../subgraphs/payments/checkout/checkout.worker.js';
import { atOnce } from '../../../support/barrier.js';
import { World } from '../../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

describe('The worker of checkouts', () => {
  it('writes down what the clock says, and leaves alone what is confirmed, cancelled or still open', async () => {
    const [old, confirmed, open] = [await world.checkout('ok'), await world.checkout('ok'), await world.checkout('ok')];
    await world.confirm(confirmed.id);
    const em = world.payments.em.fork();
    await em.execute("update checkout set expires_at = now() + interval '3 hours' where id = ?", [open.id]);
    await new CheckoutWorker(world.payments.em, null as unknown as PgBoss, () => after(systemClock(), HOUR)).expire();
    const rows = await em.execute<{ id: string; status: string }[]>('select id, status from checkout');
    const status = new Map(rows.map((row) => [row.id, row.status]));
    expect([old, confirmed, open].map(({ id }) => status.get(id))).toEqual(['EXPIRED', 'CONFIRMED', 'OPEN']);
  });

  it('passes by a checkout that is being confirmed, and does not wait for it (M9)', async () => {
    const { id } = await world.checkout('ok');
    const worker = new CheckoutWorker(world.payments.em, null as unknown as PgBoss, () => after(systemClock(), HOUR));
    // A confirmation that has all that it needs but the limit.
    const barrier = { sql: 'select * from limit_usage for update', meanwhile: () => worker.expire() };
    const [answer] = await atOnce(world.payments.em, barrier, [() => world.confirm(id)]);
    expect(answer?.errors).toBeUndefined();
    const em = world.payments.em.fork();
    expect(await em.execute('select status from checkout where id = ?', [id])).toEqual([{ status: 'CONFIRMED' }]);
  });
});
