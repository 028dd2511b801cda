import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { transaction } from '../../../../subgraphs/kernel/database.js';
import { InvariantViolation } from '../../../../subgraphs/kernel/error.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { holdWallet, voidWallet } from '../../../../subgraphs/payments/ledger/ledger.service.js';
import {
  AS_KNOWN,
  changeLegs,
  type Legs,
  lockLegs,
  readLegs,
  readPaymentPages,
  rememberOrder,
  saveLegs,
} from '../../../../subgraphs/payments/payment/payment.repository.js';
import { atOnce } from '../../../support/barrier.js';
import { LegsLab } from '../../../support/legs.js';
import { planAsItIs, planOf } from '../../../support/plan.js';

const now = new Date();
let lab: LegsLab;
let orm: MikroORM;

beforeAll(async () => {
  lab = await LegsLab.open();
  ({ orm } = lab);
});
afterAll(() => lab.close());

const newPayment = () => lab.newPayment(now);
const read = (id: PaymentId) => lab.read(id);

/** Resolves once somebody waits for a lock. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const waiting = await orm.em
      .fork()
      .execute<unknown[]>(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
    if (waiting.length > 0) return;
  }
}

describe('The legs of a payment', () => {
  it('are found by their keys, however many payments there are', async () => {
    const plan = await planOf(orm.em.fork(), (em) =>
      expect(readLegs(em, newId('pay', 'us'))).rejects.toThrow('there is no payment'),
    );
    for (const table of ['payment', 'payment_authorization', 'payment_acceptance'])
      expect(plan).toMatch(new RegExp(`Index Scan using ${table}_pkey on ${table} `));
  });

  it('are, for who had to wait for them, all three as they are then: none as it was before', async () => {
    const id = await newPayment();
    const holding = Promise.withResolvers<void>();
    const mayGo = Promise.withResolvers<void>();
    const first = transaction(orm.em, async (em) => {
      const legs = await lockLegs(em, id);
      legs.authorization.held('order-1', 'authorization-1', null);
      legs.acceptance.submitted(now);
      await saveLegs(em, legs, legs.payment.record('AUTHORIZED', now));
      holding.resolve();
      await mayGo.promise;
    });
    await holding.promise;
    const second = transaction(orm.em, async (em) => {
      const { payment, authorization, acceptance } = await lockLegs(em, id);
      return [payment.eventCount, authorization.status, authorization.orderId, acceptance.status];
    });
    await someoneWaits();
    mayGo.resolve();
    await first;
    expect(await second).toEqual([1, 'HELD', 'order-1', 'SUBMITTED']);
  });

  it('keep an order only while the wallet has not answered, also when it answers meanwhile', async () => {
    const id = await newPayment();
    await rememberOrder(orm.em.fork(), id, 'order-early');
    expect((await read(id)).authorization.orderId).toBe('order-early');
    const holding = Promise.withResolvers<void>();
    const mayGo = Promise.withResolvers<void>();
    const first = transaction(orm.em, async (em) => {
      const legs = await lockLegs(em, id);
      holding.resolve();
      await mayGo.promise;
      legs.authorization.held('order-held', 'authorization-2', null);
      await saveLegs(em, legs, legs.payment.record('AUTHORIZED', now));
    });
    await holding.promise;
    const late = rememberOrder(orm.em.fork(), id, 'order-late');
    await someoneWaits();
    mayGo.resolve();
    await Promise.all([first, late]);
    expect((await read(id)).authorization.orderId).toBe('order-held');
  });

  it('are read again as they were saved', async () => {
    const id = await newPayment();
    const left = await transaction(orm.em, async (em) => {
      const legs = await lockLegs(em, id);
      legs.authorization.held('order-3', 'authorization-3', new Date(now.getTime() + 1_000));
      legs.authorization.captured('capture-3', 41n);
      legs.acceptance.submitted(now);
      legs.acceptance.accepted('network-3', 'transaction-3', now);
      legs.payment.paid(now);
      legs.payment.completed(now);
      await saveLegs(em, legs, legs.payment.record('COMPLETED', now));
      return legs;
    });
    const found = await read(id);
    for (const leg of ['payment', 'authorization', 'acceptance'] as const)
      expect({ ...found[leg] }).toEqual({ ...left[leg] });
  });

  it('end the lease with the payment, and not before', async () => {
    const id = await newPayment();
    const lease = async () => {
      const rows = await orm.em
        .fork()
        .execute<{ leased: boolean }[]>('select lease_until is not null as leased from payment where id = ?', [id]);
      return rows[0]?.leased;
    };
    await orm.em.fork().execute("update payment set lease_until = now() + interval '1 hour' where id = ?", [id]);
    await transaction(orm.em, async (em) => {
      const legs = await lockLegs(em, id);
      legs.authorization.held('order-4', 'authorization-4', null);
      await saveLegs(em, legs, legs.payment.record('AUTHORIZED', now));
    });
    expect(await lease()).toBe(true);
    await transaction(orm.em, async (em) => {
      const legs = await lockLegs(em, id);
      legs.authorization.voided();
      legs.payment.failed('NETWORK_REFUSED');
      await saveLegs(em, legs, legs.payment.record('FAILED', now));
    });
    expect(await lease()).toBe(false);
  });

  it('are changed in one statement with what happened, or not at all', async () => {
    const [id, other] = [await newPayment(), await newPayment()];
    const hold = (payment: PaymentId) =>
      transaction(orm.em, async (em) => {
        const legs = await lockLegs(em, payment);
        legs.authorization.held('order-5', 'authorization-5', null);
        await saveLegs(em, legs, legs.payment.record('AUTHORIZED', now));
      });
    await hold(id);
    await expect(hold(other)).rejects.toThrow(/unique/);
    expect((await read(other)).authorization.status).toBe('REQUESTED');
    const events = (payment: PaymentId) =>
      orm.em.fork().execute('select sequence, type from payment_event where payment_id = ?', [payment]);
    expect(await events(id)).toEqual([{ sequence: 1, type: 'AUTHORIZED' }]);
    expect(await events(other)).toEqual([]);
    const published = await orm.em.fork().execute('select 1 from outbox where ? = any(subjects)', [`payment.${other}`]);
    expect(published).toEqual([]);
  });
});

describe('A step of a payment', () => {
  const hold = (legs: Legs, order: string) => {
    legs.authorization.held(order, `authorization-${order}`, null);
    return {
      events: [legs.payment.record('AUTHORIZED', now)],
      entry: holdWallet(legs.payment, now, AS_KNOWN),
    };
  };
  const holdsOf = (id: PaymentId) =>
    orm.em.fork().execute<{ leg: string; status: string }[]>('select leg, status from hold where payment_id = ?', [id]);

  it('is one statement for its state, its event and its books, and leaves alone what was known before', async () => {
    const known = await read(await newPayment());
    const { id } = known.payment;
    const left = await changeLegs(orm.em.fork(), known, (legs) => hold(legs, 'order-7'));
    expect(known.authorization.status).toBe('REQUESTED');
    expect(known.payment.eventCount).toBe(0);
    const found = await read(id);
    for (const leg of ['payment', 'authorization', 'acceptance'] as const)
      expect({ ...found[leg] }).toEqual({ ...left?.[leg] });
    expect(await lab.eventsOf(id)).toEqual(['1 AUTHORIZED PROCESSING']);
    expect(await holdsOf(id)).toEqual([{ leg: 'wallet', status: 'PENDING' }]);
  });

  it('is taken by one of many who know the same, and by the others not at all', async () => {
    const known = await read(await newPayment());
    const { id } = known.payment;
    const taken = await atOnce(
      orm.em,
      { sql: 'select from payment where id = ? for update', values: [id], whose: 'legs' },
      [1, 2, 3].map((nth) => () => changeLegs(orm.em.fork(), known, (legs) => hold(legs, `order-8-${nth}`))),
    );
    expect(taken.map((legs) => legs?.authorization.orderId)).toEqual(['order-8-1', undefined, undefined]);
    expect((await read(id)).authorization.orderId).toBe('order-8-1');
    expect(await lab.eventsOf(id)).toEqual(['1 AUTHORIZED PROCESSING']);
    expect(await holdsOf(id)).toHaveLength(1);
  });

  it.each([
    ['payment', "update payment set status = 'IN_REVIEW', reason = 'X' where id = ?"],
    ['payment', 'update payment set event_count = 7 where id = ?'],
    ['authorization', "update payment_authorization set status = 'DECLINED' where payment_id = ?"],
    ['acceptance', "update payment_acceptance set status = 'REFUSED' where payment_id = ?"],
  ])('is not taken where somebody has changed the %s meanwhile, committed while it waits: %s', async (_, sql) => {
    const known = await read(await newPayment());
    const { id } = known.payment;
    const [left] = await atOnce(orm.em, { sql, values: [id], whose: 'legs' }, [
      () => changeLegs(orm.em.fork(), known, (legs) => hold(legs, `order-${id}`)),
    ]);
    expect(left).toBeNull();
    expect((await read(id)).authorization.orderId).toBeNull();
    expect(await lab.eventsOf(id)).toEqual([]);
    expect(await holdsOf(id)).toEqual([]);
  });

  it('keeps what others may write meanwhile: leases, attempts, an order', async () => {
    const known = await read(await newPayment());
    const { id } = known.payment;
    await lab.set(id, 'lease_owner = 7, attempt = 3');
    await rememberOrder(orm.em.fork(), id, 'order-9-early');
    await changeLegs(orm.em.fork(), known, ({ payment, authorization, acceptance }) => {
      authorization.declined();
      acceptance.refused();
      payment.declined('WALLET_DECLINED');
      return { events: [payment.record('DECLINED', now)] };
    });
    const { payment, authorization } = await read(id);
    expect([payment.status, authorization.status, authorization.orderId]).toEqual([
      'DECLINED',
      'DECLINED',
      'order-9-early',
    ]);
    const [row] = await orm.em.fork().execute('select lease_owner, lease_until from payment where id = ?', [id]);
    expect(row).toEqual({ lease_owner: 7, lease_until: null });
  });

  it.each(['POSTED', 'VOIDED'])(
    'writes nothing where a hold that it resolves was %s before, and says so (M3)',
    async (status) => {
      const first = await read(await newPayment());
      const { id } = first.payment;
      const known = await changeLegs(orm.em.fork(), first, (legs) => hold(legs, `order-${id}`));
      if (!known) throw new Error('not held');
      await orm.em.fork().execute('update hold set status = ?, resolved_at = now() where payment_id = ?', [status, id]);
      const voiding = changeLegs(orm.em.fork(), known, ({ payment, authorization }) => {
        authorization.voided();
        payment.failed('NETWORK_REFUSED');
        return { events: [payment.record('FAILED', now)], entry: voidWallet(payment, now, AS_KNOWN) };
      });
      await expect(voiding).rejects.toThrow(InvariantViolation);
      expect((await read(id)).payment.status).toBe('PROCESSING');
      expect(await lab.eventsOf(id)).toEqual(['1 AUTHORIZED PROCESSING']);
    },
  );
});

/** So many payments of one traveler at one merchant; then as many again, each of somebody else somewhere else. */
async function addPayments(
  owner: { readonly traveler: string; readonly merchant: string },
  count: number,
): Promise<void> {
  const source = await newPayment();
  const em = orm.em.fork();
  const others = 'case when n <= ? then ? else ? || n end';
  await em.execute(
    `insert into checkout
       select copy.* from checkout, payment, generate_series(1, ?) n, jsonb_populate_record(checkout,
         jsonb_build_object('id', 'chk_' || n, 'quote_id', 'quo_' || n)) copy
        where payment.id = ? and checkout.id = payment.checkout_id`,
    [2 * count, source],
  );
  await em.execute(
    `insert into payment
       select copy.* from payment, generate_series(1, ?) n, jsonb_populate_record(payment, jsonb_build_object(
         'id', 'pay_' || n, 'checkout_id', 'chk_' || n, 'quote_id', 'quo_' || n,
         'traveler_id', ${others}, 'merchant_id', ${others})) copy
        where payment.id = ?`,
    [2 * count, count, owner.traveler, 'trv_', count, owner.merchant, 'mer_', source],
  );
  await em.execute('analyze payment');
}

describe('A page of payments', () => {
  it('is read along an index and no further than it goes, also of the one who has far more than the others', async () => {
    const owner = { traveler: newId('trv', 'us'), merchant: newId('mer', 'cn') };
    await addPayments(owner, 2_000);
    const page = { limit: 20, after: null, before: null, backward: false };
    for (const [kind, id, column] of [
      ['trv', owner.traveler, 'traveler'],
      ['mer', owner.merchant, 'merchant'],
    ] as const)
      for (const filter of [{}, { status: 'PROCESSING' as const }]) {
        const plan = await planAsItIs(orm.em.fork(), (em) => readPaymentPages(em, kind, [id], filter, page));
        expect(plan).toMatch(new RegExp(`Limit[^\\n]*\\n +->  Index Scan using payment_by_${column}`));
      }
  });
});
