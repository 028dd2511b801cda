import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { PaymentId } from '../../../subgraphs/kernel/id.js';
import { codesOf, entities } from '../../support/ask.js';
import { World } from '../../support/world.js';

const CONNECTIONS = 2;
const statements: string[] = [];

let world: World;
beforeAll(async () => {
  world = await World.start({ poolSize: CONNECTIONS, onStatement: (sql) => statements.push(sql) });
});
afterAll(() => world.stop());

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

it('answers requests while its workers have no connection left', async () => {
  const askUsers = world.others.users;
  world.others.users = async (request) =>
    request.query.includes('WalletVault') ? Promise.reject(new Error('down')) : askUsers(request);
  const payments: PaymentId[] = [];
  for (let index = 0; index < CONNECTIONS + 1; index += 1) payments.push(await confirmed());
  const holder = world.payments.em.fork();
  await holder.begin();
  // The saga writes into this table with each of its steps.
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

it("locks a traveler's limit last, right before the commit of a confirmation", async () => {
  const { id } = await world.checkout('ok');
  statements.length = 0;
  const payment = paymentIn((await world.confirm(id)).data);
  const writes = statements.filter((sql) => /^\S*\[query\]\S* (insert|update|delete|commit)/i.test(sql));
  const limit = writes.findIndex((sql) => sql.includes('limit_usage'));
  expect(
    writes.slice(0, limit).filter((sql) => /insert into (")?(payment|outbox|payment_event)\b/.test(sql)).length,
  ).toBeGreaterThanOrEqual(3);
  expect(writes[limit + 1]).toMatch(/commit/);
  expect(await world.settled(payment)).toBe('COMPLETED');
});
