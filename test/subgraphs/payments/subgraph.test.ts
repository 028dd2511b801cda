import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { PaymentId } from '../../../subgraphs/kernel/id.js';
import { codesOf, entities } from '../../support/ask.js';
import { Statements } from '../../support/statements.js';
import { World } from '../../support/world.js';

const CONNECTIONS = 2;
/** Each statement is a round trip, and costs both sides more than what it does. */
const MOST = { start: 2, confirm: 2, saga: 3, refund: 3 };
const PHASES = ['start', 'confirm', 'saga', 'refund'] as const;
const TRIES = 4;

let statements: Statements;
let world: World;
beforeAll(async () => {
  statements = Statements.watch();
  world = await World.start({ poolSize: CONNECTIONS });
});
afterAll(async () => {
  await world.stop();
  statements.stop();
});

const paymentIn = (data: unknown) =>
  (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;

async function confirmed(): Promise<PaymentId> {
  return paymentIn((await world.confirm((await world.checkout('ok')).id)).data);
}

/** How many of the workers' transactions wait for a lock. */
async function waitingWorkers(): Promise<number> {
  const [row] = await world.payments.em.fork().execute<{ count: number }[]>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name = 'payments-workers' and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

/** What one payment sends, by phase; the saga has connections of its own. */
async function sentByPayment(): Promise<Record<keyof typeof MOST, string[]>> {
  statements.forget();
  const { id } = await world.checkout('ok');
  const start = statements.of('payments');
  statements.forget();
  const payment = paymentIn((await world.confirm(id)).data);
  const confirm = statements.of('payments');
  expect(await world.settled(payment)).toBe('COMPLETED');
  // What its worker still does when it has ended.
  await delay(200);
  const saga = withoutLooks(statements.of('payments-workers'));
  statements.forget();
  expect(codesOf(await world.refund(payment, null, world.store('ok').merchantId))).toEqual([]);
  const refund = statements.of('payments');
  await world.settled(payment);
  return { start, confirm, saga, refund };
}

/** Notifications come when they come, and who looks whether there is work for them is not counted; whoever begins is. */
function withoutLooks(sent: readonly string[]): string[] {
  const isLook = (sql: string) => sql.includes('set lease_until = now()');
  return sent.filter((sql, index) => index === 0 || !isLook(sql));
}

it('answers requests while its workers have no connection left', async () => {
  const askUsers = world.others.users;
  world.others.users = async (request) =>
    request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : askUsers(request);
  const payments: PaymentId[] = [];
  for (let index = 0; index < CONNECTIONS + 1; index += 1) payments.push(await confirmed());
  const holder = world.payments.em.fork();
  await holder.begin();
  // The saga locks rows of this table in each of its steps.
  await holder.execute('lock table payment_authorization in exclusive mode');
  world.others.users = askUsers;
  await world.eventually(15_000, async () => ((await waitingWorkers()) === CONNECTIONS ? true : null));
  const representations = payments.map((id) => ({ __typename: 'Payment', id }));
  const answer = await world.ask(world.maya.principal, entities('... on Payment { id status }'), { representations });
  expect(codesOf(answer)).toEqual([]);
  expect(await waitingWorkers()).toBe(CONNECTIONS);
  await holder.commit();
  for (const id of payments) expect(await world.settled(id)).toBe('COMPLETED');
});

it("confirms by one statement of its own, which alone locks the traveler's limit", async () => {
  const { id } = await world.checkout('ok');
  statements.forget();
  const payment = paymentIn((await world.confirm(id)).data);
  const sent = statements.of('payments');
  const written = sent.map((sql) =>
    [...sql.matchAll(/(?:insert into|update|delete from) (\w[\w.]*)/gi)].map(([, table]) => table),
  );
  expect(written.filter((tables) => tables.length > 0).map((tables) => tables.toSorted())).toEqual([
    [
      'checkout',
      'idempotency_record',
      'limit_usage',
      'outbox',
      'payment',
      'payment_acceptance',
      'payment_authorization',
      'payment_event',
    ],
  ]);
  for (const sql of sent) expect(sql).not.toMatch(/^(begin|start transaction|commit)/i);
  expect(await world.settled(payment)).toBe('COMPLETED');
});

it('takes a few statements to start, to confirm, to end and to refund a payment, and no more', async () => {
  const payments: Awaited<ReturnType<typeof sentByPayment>>[] = [];
  for (let count = 0; count < TRIES; count += 1) payments.push(await sentByPayment());
  for (const phase of PHASES) {
    // Guards and sweeps look around in some of them.
    const [fewest] = payments.map((each) => each[phase]).toSorted((a, b) => a.length - b.length);
    // What is not counted is not seen either: each writes something.
    expect(fewest?.some((sql) => /insert into|update/.test(sql))).toBe(true);
    expect((fewest ?? []).slice(MOST[phase])).toEqual([]);
  }
});
