import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PgBoss } from 'pg-boss';
import { Registry } from 'prom-client';
import { after, MINUTE } from '../../../subgraphs/kernel/clock.js';
import { newId } from '../../../subgraphs/kernel/id.js';
import { registerFigures } from '../../../subgraphs/payments/figures.js';
import { SealWorker } from '../../../subgraphs/payments/ledger/seal.worker.js';
import { silent } from '../../support/logger.js';
import { World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** The figures as they will be read in so many ms. */
async function figures(inMs = 0, em = world.payments.em): Promise<Map<string, number>> {
  const registry = new Registry();
  registerFigures(registry, em, silent, () => after(new Date(), inMs));
  const lines = (await registry.metrics()).split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** A payment whose wallet cannot be asked for: users does not say which it is. */
async function stuckPayment(): Promise<string> {
  const { id } = await world.checkout('ok');
  const asked = world.others.users;
  world.others.users = async (request) =>
    request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : asked(request);
  const { data } = await world.confirm(id);
  return (data as { confirmCheckout: { payment: { id: string } } }).confirmCheckout.payment.id;
}

describe('The figures of payments', () => {
  it('tell how old the last seal is, and how much waits for one and for how long', async () => {
    expect((await figures()).get('payments_unsealed_postings')).toBe(0);
    await world.settled(await world.pay('ok'));
    const [{ count } = { count: 0 }] = await world.payments.em
      .fork()
      .execute<{ count: number }[]>('select count(*)::int as count from posting');
    const before = await figures(MINUTE);
    expect(before.get('payments_unsealed_postings')).toBe(count);
    expect(before.get('payments_unsealed_seconds')).toBeGreaterThan(59);
    await new SealWorker(world.payments.em, null as unknown as PgBoss, silent, () => new Date()).seal();
    const sealed = await figures(10 * MINUTE);
    expect(sealed.get('payments_unsealed_postings')).toBe(0);
    expect(sealed.get('payments_unsealed_seconds')).toBe(0);
    expect(sealed.get('payments_seal_age_seconds')).toBeGreaterThan(599);
  });

  it('count what is undecided by its step, and what is overdue there', async () => {
    const em = world.payments.em.fork();
    const paymentId = await stuckPayment();
    const undecided = 'payments_undecided{subject="payment",step="AUTHORIZE"}';
    const overdue = 'payments_overdue{subject="payment",step="AUTHORIZE"}';
    const soon = await figures();
    expect([soon.get(undecided), soon.get(overdue)]).toEqual([1, 0]);
    const later = await figures(10 * MINUTE);
    expect([later.get(undecided), later.get(overdue)]).toEqual([1, 1]);
    expect(later.get('payments_undecided_oldest_seconds{subject="payment",step="AUTHORIZE"}')).toBeGreaterThan(599);
    await em.execute("update payment set status = 'IN_REVIEW', reason = 'TEST' where id = ?", [paymentId]);
    const reviewed = await figures();
    expect(reviewed.get('payments_undecided{subject="payment",step="REVIEW"}')).toBe(1);
    expect(reviewed.get(undecided)).toBeUndefined();
  });

  it('count the breaks of reconciliation that are open, by type, also where there are none', async () => {
    const day = '2026-06-01';
    for (const [type, closedAt] of [
      ['DUPLICATE', null],
      ['MISSING_HERE', new Date()],
      ['MISSING_HERE', null],
      ['MISSING_HERE', null],
    ] as const)
      await world.payments.em.fork().execute(
        `insert into reconciliation_break (id, market_code, day, source, type, subject, evidence, first_seen_at, closed_at)
         values (?, 'US', ?, 'WALLET', ?, ?, '{}', now(), ?)`,
        [newId('brk', 'us'), day, type, newId('pay', 'us'), closedAt],
      );
    const now = await figures();
    const open = ['MISSING_HERE', 'DUPLICATE', 'FEE_DIFFERS'].map((type) =>
      now.get(`payments_reconciliation_open_breaks{type="${type}"}`),
    );
    expect(open).toEqual([2, 1, 0]);
  });

  it('are unknown, and no failure of the others, while the database does not answer', async () => {
    const broken = {
      fork: () => ({ execute: () => Promise.reject(new Error('down')) }),
    } as unknown as typeof world.payments.em;
    expect((await figures(0, broken)).get('payments_unsealed_postings')).toBeNaN();
  });
});
