import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { after, HOUR, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { openDatabase } from '../../../../subgraphs/kernel/database.js';
import { DEADLINE_HEADER } from '../../../../subgraphs/kernel/deadline.js';
import type { PaymentId } from '../../../../subgraphs/kernel/id.js';
import { AuthorizationService } from '../../../../subgraphs/payments/authorization/authorization.service.js';
import type { VaultClient } from '../../../../subgraphs/payments/checkout/payer.client.js';
import type { Outside } from '../../../../subgraphs/payments/outside.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { readLegs } from '../../../../subgraphs/payments/payment/payment.repository.js';
import { OVER } from '../../../../subgraphs/payments/saga/saga.states.js';
import { SagaWorker } from '../../../../subgraphs/payments/saga/saga.worker.js';
import { codesOf } from '../../../support/ask.js';
import { atOnce } from '../../../support/barrier.js';
import { contradictions } from '../../../support/crash.books.js';
import type { Fault } from '../../../support/fault.proxy.js';
import { silent } from '../../../support/logger.js';
import { silentQueue } from '../../../support/queue.js';
import { World } from '../../../support/world.js';

let world: World;

let outsideOfPayments: Outside;
let aheadMs = 0;

beforeAll(async () => {
  world = await World.start({
    now: () => after(systemClock(), aheadMs),
    outside: (real) => {
      outsideOfPayments = real;
      return real;
    },
  });
});
afterAll(() => world.stop());
beforeEach(() => {
  world.lines.paypal.heal();
  world.lines.wechatPay.heal();
  aheadMs = 0;
});

async function eventsOf(paymentId: PaymentId): Promise<string[]> {
  const { data } = await world.ask(
    world.maya.principal,
    'query ($id: ID!) { payment(id: $id) { events { sequence type } } }',
    { id: paymentId },
  );
  const { events } = (data as { payment: { events: { sequence: number; type: string }[] } }).payment;
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  return events.map(({ type }) => type);
}

/** What the outside world believes of a payment. */
async function outside(paymentId: PaymentId) {
  const [paypal, wechatPay] = await Promise.all([world.books('paypal'), world.books('wechatPay')]);
  const of = (entries: { paymentId: string; status: string; amount: string }[] = []) =>
    entries.filter((entry) => entry.paymentId === paymentId).map(({ status, amount }) => `${status} ${amount}`);
  return {
    orders: of(paypal['orders']).length,
    authorizations: of(paypal['authorizations']),
    captures: of(paypal['captures']),
    transactions: of(wechatPay['transactions']),
  };
}

const expectSoundBooks = async () => expect(await world.payments.findDiscrepancies()).toEqual([]);

describe('The saga', () => {
  it('holds, pays, captures: each once, and the books of all three sides agree (M1, M2, M5)', async () => {
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect(await eventsOf(paymentId)).toEqual(['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']);
    const books = await outside(paymentId);
    expect(books).toMatchObject({ orders: 1, transactions: ['SUCCESS 100.00'] });
    expect(books.captures).toHaveLength(1);
    await expectSoundBooks();
  });

  it('is not less patient than it is by itself because whoever confirmed waited only shortly', async () => {
    const { users } = world.others;
    const asked: { query: string; deadlineMs: number }[] = [];
    world.others.users = (request) => {
      asked.push({ query: request.query, deadlineMs: Number(request.headers[DEADLINE_HEADER]) });
      return users(request);
    };
    try {
      const { id } = await world.checkout('ok');
      asked.length = 0;
      const { data } = await world.confirm(id, undefined, undefined, { [DEADLINE_HEADER]: '2500' });
      const { payment } = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout;
      expect(await world.settled(payment.id)).toBe('COMPLETED');
    } finally {
      world.others.users = users;
    }
    const [vault, ...more] = asked.filter(({ query }) => query.includes('walletVault'));
    expect(more).toEqual([]);
    expect(vault?.deadlineMs).toBe(3_000);
    const others = asked.filter(({ query }) => !query.includes('walletVault'));
    expect(others.length).toBeGreaterThan(0);
    for (const { deadlineMs } of others) expect(deadlineMs).toBeLessThanOrEqual(2_500);
  });

  it.each([
    ['declined', 'DECLINED', ['CONFIRMED', 'DECLINED']],
    ['refused', 'FAILED', ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'FAILED']],
    ['slow', 'COMPLETED', ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']],
    ['lost-reply', 'COMPLETED', ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']],
    ['capture-fails-once', 'COMPLETED', ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']],
    ['duplicate-notifications', 'COMPLETED', ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']],
  ] as const)('ends %s as %s', async (scenario, status, events) => {
    const paymentId = await world.pay(scenario);
    expect(await world.settled(paymentId)).toBe(status);
    expect(await eventsOf(paymentId)).toEqual(events);
    await expectSoundBooks();
  });

  it('gives the hold free and the limit back when the network refuses', async () => {
    const used = async () => {
      const [row] = await world.payments.em
        .fork()
        .execute<{ used: string }[]>(
          'select coalesce(sum(used_minor), 0) as used from limit_usage where traveler_id = ?',
          [world.maya.id],
        );
      return row?.used;
    };
    const before = await used();
    const paymentId = await world.pay('refused');
    await world.settled(paymentId);
    expect(await used()).toBe(before);
    expect((await outside(paymentId)).authorizations[0]).toMatch(/^VOIDED/);
  });

  const faults: readonly (readonly [string, 'paypal' | 'wechatPay', string, Fault])[] = [
    ['the wallet cannot be reached', 'paypal', '/v2/checkout/orders', { kind: 'CUT_BEFORE' }],
    ['the answer to the order is lost', 'paypal', '/v2/checkout/orders', { kind: 'CUT_AFTER' }],
    ['the answer to the order is garbage', 'paypal', '/v2/checkout/orders', { kind: 'GARBAGE_AFTER' }],
    ['the answer to the order is late', 'paypal', '/v2/checkout/orders', { kind: 'HANG_AFTER', ms: 2_500 }],
    ['the wallet fails', 'paypal', '/v2/checkout/orders', { kind: 'STATUS_BEFORE', status: 503 }],
    ['the answer to the authorization is lost', 'paypal', '/authorize', { kind: 'CUT_AFTER' }],
    ['the answer to the capture is lost', 'paypal', '/capture', { kind: 'CUT_AFTER' }],
    ['the answer to the capture is garbage', 'paypal', '/capture', { kind: 'GARBAGE_AFTER' }],
    ['the answer to the capture is late', 'paypal', '/capture', { kind: 'HANG_AFTER', ms: 2_500 }],
    ['the order arrives late', 'paypal', '/v2/checkout/orders', { kind: 'LATE', ms: 2_500 }],
    ['the capture arrives late', 'paypal', '/capture', { kind: 'LATE', ms: 2_500 }],
    ['the network is asked late', 'wechatPay', '/pay', { kind: 'LATE', ms: 2_500 }],
    ['the network cannot be reached', 'wechatPay', '/pay', { kind: 'CUT_BEFORE' }],
    ['the answer of the network is lost', 'wechatPay', '/pay', { kind: 'CUT_AFTER' }],
    ['the answer of the network is garbage', 'wechatPay', '/pay', { kind: 'GARBAGE_AFTER' }],
    ['the answer of the network is late', 'wechatPay', '/pay', { kind: 'HANG_AFTER', ms: 2_500 }],
    ['the network fails', 'wechatPay', '/pay', { kind: 'STATUS_BEFORE', status: 500 }],
  ];

  it.each(faults)('charges and pays once although %s', async (_, side, path, fault) => {
    const checkout = await world.checkout('ok', '88.00');
    world.lines[side].spoil(path, fault);
    const { data } = await world.confirm(checkout.id);
    const paymentId = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect(world.lines[side].unspent).toBe(0);
    // What was late has arrived by now.
    if (fault.kind === 'LATE') await new Promise((resolve) => setTimeout(resolve, 2_000));
    const books = await outside(paymentId);
    expect(books.authorizations).toEqual([`CAPTURED ${checkout.total.amount}`]);
    expect(books.captures).toEqual([`COMPLETED ${checkout.total.amount}`]);
    expect(books.transactions).toEqual(['SUCCESS 88.00']);
    await expectSoundBooks();
  });

  it('charges once although PayPal gives no token at first', async () => {
    // A process that has no token yet.
    await world.restartPayments();
    world.lines.paypal.spoil('/v1/oauth2/token', { kind: 'CUT_BEFORE' });
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect(world.lines.paypal.unspent).toBe(0);
    expect((await outside(paymentId)).captures).toHaveLength(1);
  });

  it('voids once although the answer to the void is lost', async () => {
    world.lines.paypal.spoil('/void', { kind: 'CUT_AFTER' });
    const paymentId = await world.pay('refused');
    expect(await world.settled(paymentId)).toBe('FAILED');
    expect((await outside(paymentId)).authorizations[0]).toMatch(/^VOIDED/);
    await expectSoundBooks();
  });

  it('never gives a hold free while the network leg is unknown, and goes on after a restart (M10)', async () => {
    const checkout = await world.checkout('ok');
    const before = world.lines.wechatPay.count('/v3/');
    world.lines.wechatPay.spoil('/v3/', { kind: 'CUT_AFTER' }, 1_000);
    const { data } = await world.confirm(checkout.id);
    const paymentId = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
    await world.eventually(5_000, async () => (world.lines.wechatPay.count('/v3/') > before + 4 ? true : null));
    expect((await outside(paymentId)).authorizations[0]).toMatch(/^CREATED/);
    await world.restartPayments();
    world.lines.wechatPay.heal();
    expect(await world.settled(paymentId, 30_000)).toBe('COMPLETED');
    expect((await outside(paymentId)).transactions).toEqual(['SUCCESS 100.00']);
    await expectSoundBooks();
  });

  it('waits for users when they do not answer, and charges nothing meanwhile', async () => {
    const checkout = await world.checkout('ok');
    const asked = world.others.users;
    world.others.users = async (request) =>
      request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : asked(request);
    const { data } = await world.confirm(checkout.id);
    const paymentId = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await outside(paymentId)).orders).toBe(0);
    world.others.users = asked;
    expect(await world.settled(paymentId)).toBe('COMPLETED');
  });

  it('takes up at once what a dead process had leased, and leaves to the living what they have', async () => {
    const checkout = await world.checkout('ok');
    const asked = world.others.users;
    world.others.users = async (request) =>
      request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : asked(request);
    const { data } = await world.confirm(checkout.id);
    const paymentId = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
    const em = world.payments.em.fork();
    const lease = (owner: string) =>
      em.execute(
        `update payment set lease_until = now() + interval '1 hour', lease_owner = ${owner}, next_attempt_at = null where id = ?`,
        [paymentId],
      );
    await world.eventually(5_000, async () => {
      const [row] = await em.execute<{ attempt: number }[]>('select attempt from payment where id = ?', [paymentId]);
      return (row?.attempt ?? 0) > 0 ? true : null;
    });
    // The worker of refunds is another owner that lives.
    const alive = `(select objid::bigint from pg_locks where locktype = 'advisory' and classid = 71026010
      and objid::bigint <> payment.lease_owner
      and database = (select oid from pg_database where datname = current_database()) limit 1)`;
    await lease(alive);
    world.others.users = asked;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const [row] = await em.execute<{ status: string }[]>('select status from payment where id = ?', [paymentId]);
    expect(row?.status).toBe('PROCESSING');
    await lease('12345');
    expect(await world.settled(paymentId)).toBe('COMPLETED');
  });

  it('hands a payment to a person when nobody can say for days what became of its step', async () => {
    const asked = world.others.users;
    const { id } = await world.checkout('ok');
    world.others.users = async (request) =>
      request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : asked(request);
    world.lines.paypal.spoil('/void', { kind: 'CUT_BEFORE' }, 1_000);
    try {
      const { data } = await world.confirm(id);
      const first = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
      const em = world.payments.em.fork();
      await em.execute("update payment_authorization set order_id = 'unread' where payment_id = ?", [first]);
      const waited = (days: number) =>
        em.execute(`update payment set attempt = 20, created_at = created_at - interval '${days} days' where id = ?`, [
          first,
        ]);
      await waited(2);
      expect(await world.settled(first, 30_000)).toBe('IN_REVIEW');
      world.others.users = asked;
      const second = await world.pay('refused');
      await world.eventually(10_000, async () => {
        const [row] = await em.execute<{ status: string }[]>(
          `update payment_acceptance set submitted_at = submitted_at - interval '8 days'
            where payment_id = ? and status = 'REFUSED' and submitted_at > now() - interval '1 day' returning status`,
          [second],
        );
        return row ?? null;
      });
      await em.execute('update payment set attempt = 20 where id = ?', [second]);
      expect(await world.settled(second, 30_000)).toBe('IN_REVIEW');
      const rows = await em.execute<{ reason: string }[]>('select reason from payment where id in (?, ?) order by id', [
        first,
        second,
      ]);
      expect(rows.map(({ reason }) => reason)).toEqual(['WALLET_OUTCOME_UNKNOWN', 'VOID_OUTCOME_UNKNOWN']);
    } finally {
      world.others.users = asked;
    }
  }, 90_000);

  it('is safe when several take the same step at the same moment, as after a lost lease (M5, M8)', async () => {
    const paymentId = await world.pay('duplicate-notifications');
    // Beside the worker, which nobody but itself can be told to share.
    const saga = world.payments.sagas.payments['work'];
    for (let progress = 'MOVED'; progress !== 'OVER'; ) {
      const all = await Promise.all([1, 2, 3].map(() => saga.advance(paymentId, null)));
      progress = all.every(({ kind }) => kind === 'OVER') ? 'OVER' : 'MOVED';
    }
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect(await eventsOf(paymentId)).toEqual(['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']);
    const { captures, ...rest } = await outside(paymentId);
    expect([captures.length, rest.orders, rest.transactions]).toEqual([1, 1, ['SUCCESS 100.00']]);
    await expectSoundBooks();
  });

  it('finishes twenty payments side by side, with sound books', async () => {
    const payments = await Promise.all(Array.from({ length: 20 }, (_, index) => world.pay('ok', `${index + 1}.00`)));
    for (const paymentId of payments) expect(await world.settled(paymentId)).toBe('COMPLETED');
    await expectSoundBooks();
  });
});

describe('Two workers', () => {
  /** Of a payment that is over, which no worker of payments looks at any more. */
  async function workersOf(paymentId: PaymentId) {
    const steps: string[] = [];
    const { promise: over, resolve: finish } = Promise.withResolvers<void>();
    const orm = await openDatabase({
      name: 'two-workers',
      url: world.databaseUrl,
      entities: [Payment],
      migrations: [],
    });
    const workers = ['first', 'second'].map((name) => {
      const advance = async () => {
        steps.push(name);
        await over;
        return OVER;
      };
      const work = { table: 'payment', undecided: `id = '${paymentId}'`, advance } as const;
      return new SagaWorker(work, orm.em, world.databaseUrl, silentQueue, silent, systemClock);
    });
    const close = async () => {
      finish();
      await Promise.all(workers.map((worker) => worker.stop()));
      await orm.close();
    };
    return { workers, steps, close };
  }

  it('that take up one payment at the same moment: one has it, the other leaves it alone', async () => {
    const paymentId = await world.pay('ok');
    await world.settled(paymentId);
    const { workers, steps, close } = await workersOf(paymentId);
    await atOnce(
      world.payments.em,
      { sql: 'select id from payment where id = ? for update', values: [paymentId], whose: 'two-workers' },
      workers.map((worker) => () => worker.start()),
    );
    const em = world.payments.em.fork();
    await world.eventually(10_000, async () => {
      const asking = await em.execute<unknown[]>(
        "select 1 from pg_stat_activity where application_name = 'two-workers' and state = 'active'",
      );
      return steps.length > 0 && asking.length === 0 ? true : null;
    });
    await close();
    expect(steps).toHaveLength(1);
  });

  it('that take the same step at the same moment: the money is taken once, and written down once (M1, M5, M8)', async () => {
    world.lines.paypal.spoil('/capture', { kind: 'CUT_BEFORE' }, 1_000);
    const paymentId = await world.pay('ok');
    const em = world.payments.em.fork();
    const legs = await world.eventually(15_000, async () => {
      const now = await readLegs(world.payments.em.fork(), paymentId);
      return now.payment.status === 'PAID' ? now : null;
    });
    world.lines.paypal.heal();
    const vaults = null as unknown as VaultClient;
    const service = new AuthorizationService(world.payments.em, vaults, outsideOfPayments.wallets, systemClock);
    // The wallet is asked again where a busy machine has lost its answer.
    const take = async () => {
      for (;;) {
        const progress = await service.capture(legs);
        if (progress.kind !== 'WAIT') return progress;
      }
    };
    const ends = await atOnce(
      world.payments.em,
      { sql: 'select id from payment where id = ? for update', values: [paymentId] },
      [take, take],
    );
    expect(ends.map(({ kind }) => kind)).toEqual(['OVER', 'OVER']);
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect((await eventsOf(paymentId)).filter((type) => type === 'COMPLETED')).toHaveLength(1);
    expect((await outside(paymentId)).captures).toHaveLength(1);
    expect(await contradictions(em)).toEqual([]);
  });
});

describe('A clock that jumps', () => {
  type Confirmed = { confirmCheckout: { payment: { id: PaymentId } } };

  /** Each waits before another step: a capture, a void, a word of the network, a first word of the wallet. */
  async function paymentsAtEachStep() {
    const cut = { kind: 'CUT_BEFORE' } as const;
    for (const path of ['/capture', '/void']) world.lines.paypal.spoil(path, cut, 1_000);
    const [capture, release] = [await world.pay('ok'), await world.pay('refused')];
    const stands = (paymentId: PaymentId, acceptance: string) =>
      world.eventually(15_000, async () => {
        const rows = await world.payments.em
          .fork()
          .execute<unknown[]>('select 1 from payment_acceptance where payment_id = ? and status = ?', [
            paymentId,
            acceptance,
          ]);
        return rows.length > 0 || null;
      });
    await stands(capture, 'ACCEPTED');
    await stands(release, 'REFUSED');
    const inquire = await world.pay('slow');
    await stands(inquire, 'SUBMITTED');
    world.lines.paypal.spoil('/v2/checkout/orders', cut, 1_000);
    return { capture, release, inquire, authorize: await world.pay('ok') };
  }

  it.each([
    ['ahead', 5 * HOUR, 'FAILED', ['CHECKOUT_EXPIRED']],
    ['back', -5 * HOUR, 'COMPLETED', []],
  ] as const)('five hours %s ends no payment wrong, and none twice (M1 to M10)', async (_, ms, late, codes) => {
    const [{ id }, key] = [await world.checkout('ok'), randomUUID()];
    const under = await paymentsAtEachStep();
    aheadMs = ms;
    world.lines.paypal.heal();
    const confirmed = await world.confirm(id, key);
    expect(codesOf(confirmed)).toEqual(codes);
    const paymentOf = ({ data }: typeof confirmed) => (data as Confirmed | null)?.confirmCheckout.payment.id;
    expect(paymentOf(await world.confirm(id, key))).toBe(paymentOf(confirmed));
    const ends = await Promise.all(Object.values(under).map((paymentId) => world.settled(paymentId, 40_000)));
    // A payer who was asked for a password may have been just in time.
    expect(ends).toEqual(['COMPLETED', 'FAILED', expect.stringMatching(/^(COMPLETED|FAILED)$/), late]);
    for (const [index, paymentId] of Object.values(under).entries()) {
      const { authorizations, captures, transactions } = await outside(paymentId);
      const paid = transactions.filter((each) => each.startsWith('SUCCESS')).length;
      const isCompleted = ends[index] === 'COMPLETED';
      expect([captures.length, paid]).toEqual(isCompleted ? [1, 1] : [0, 0]);
      for (const each of authorizations) expect(each).toMatch(isCompleted ? /^CAPTURED/ : /^VOIDED/);
    }
    expect(await contradictions(world.payments.em)).toEqual([]);
  });
});
