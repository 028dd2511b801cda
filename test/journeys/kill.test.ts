import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenarios } from '../../local/seed.stores.js';
import { RunningGraph } from '../support/graph.js';
import { bookedFor, discrepanciesOf, expectedFor, readBooks } from '../support/outside-books.js';
import { noProcessNames, processesNaming } from '../support/processes.js';
import {
  checkout,
  confirm,
  type PaymentAnswer,
  pay,
  paymentOf,
  type RefundAnswer,
  refund,
  settled,
} from '../support/shopping.js';

const PAYMENTS = 20;
const RECOVERY_MS = 60_000;
/** Each round kills somewhere else on the way of its payments; the middle of the saga is hit most. */
const ROUNDS = [
  { from: 0, to: 60 },
  { from: 60, to: 250 },
  { from: 250, to: 600 },
];

let graph: RunningGraph;
beforeAll(async () => {
  graph = await RunningGraph.start();
});
afterAll(() => graph.remove());

/** What a client knows of a payment: its checkout and the key with which it confirmed. */
interface Confirmation {
  readonly checkoutId: string;
  readonly idempotencyKey: string;
  /** The payment's id, where the answer arrived before the kill. */
  readonly answered: string | null;
}

/** Kills after `afterMs`, while `requests` run; starts again. @returns what each request answered, null where it was cut */
async function killDuring<Answer>(requests: readonly (() => Promise<Answer>)[], afterMs: number) {
  const answers = requests.map((request) => request().catch(() => null));
  await delay(afterMs);
  await graph.kill();
  const settledAnswers = await Promise.all(answers);
  await graph.startAgain();
  return settledAnswers;
}

async function confirmAndKill(afterMs: number): Promise<Confirmation[]> {
  const opened = await Promise.all(
    Array.from({ length: PAYMENTS }, (_, index) =>
      checkout(graph, scenarios[index % scenarios.length] ?? 'ok', '64.20'),
    ),
  );
  const wanted = opened.map(({ id }) => ({ checkoutId: id, idempotencyKey: randomUUID() }));
  const answers = await killDuring(
    wanted.map(
      ({ checkoutId, idempotencyKey }) =>
        () =>
          confirm(graph, checkoutId, idempotencyKey),
    ),
    afterMs,
  );
  return wanted.map((each, index) => ({ ...each, answered: answers[index]?.id ?? null }));
}

/** Every payment of the graph must agree with the books of both outside systems, and the ledger with itself. */
async function expectBooksFor(payments: readonly PaymentAnswer[]): Promise<void> {
  const books = await readBooks(graph);
  const found = payments.map(({ id }) => ({ id, ...bookedFor(id, books) }));
  expect(found).toEqual(payments.map((payment) => ({ id: payment.id, ...expectedFor(payment) })));
  // Nor is anything booked for a payment that we do not know of.
  const known = new Set(payments.map(({ id }) => id));
  const { paypal, wechatPay } = books;
  const strangers = [...paypal.captures, ...paypal.authorizations, ...wechatPay.transactions];
  expect(strangers.filter(({ paymentId }) => !known.has(paymentId))).toEqual([]);
  expect(await discrepanciesOf(graph)).toEqual([]);
}

describe('A graph that is killed', () => {
  let payments: PaymentAnswer[];

  it('ends every payment of three kills, each charged once or not at all, and answers repeated confirmations', async () => {
    const delays = ROUNDS.map(({ from, to }) => randomInt(from, to));
    try {
      const confirmations: Confirmation[] = [];
      // Payments of an earlier round are still at work when the next kill comes.
      for (const afterMs of delays) confirmations.push(...(await confirmAndKill(afterMs)));
      const repeated = await Promise.all(
        confirmations.map(({ checkoutId, idempotencyKey }) => confirm(graph, checkoutId, idempotencyKey)),
      );
      for (const [index, { answered }] of confirmations.entries())
        if (answered) expect(repeated[index]?.id).toBe(answered);
      expect(new Set(repeated.map(({ id }) => id)).size).toBe(PAYMENTS * ROUNDS.length);

      payments = await Promise.all(repeated.map(({ id }) => settled(graph, id, RECOVERY_MS)));
      const statuses = payments.map(({ status }) => status);
      expect(statuses.filter((status) => !['COMPLETED', 'DECLINED', 'FAILED'].includes(status))).toEqual([]);
      // Twenty payments over seven scenarios: three are declined, three refused in each round.
      expect(statuses.filter((status) => status === 'DECLINED')).toHaveLength(3 * ROUNDS.length);
      expect(statuses.filter((status) => status === 'FAILED')).toHaveLength(3 * ROUNDS.length);
      await expectBooksFor(payments);
    } catch (thrown) {
      throw new Error(`killed after ${delays.join(', ')} ms`, { cause: thrown });
    }
  }, 150_000);

  it('keeps the events of each payment without a gap, its last one final', () => {
    for (const { events, status } of payments) {
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)?.type).toBe(status);
      expect(new Set(events.map(({ type }) => type)).size).toBe(events.length);
    }
  });

  it('gives back each refund once, also when it is killed in the middle of them', async () => {
    const refunded = payments.filter(({ status }) => status === 'COMPLETED').slice(0, 12);
    const wanted = refunded.map(({ id }) => ({ id, key: randomUUID() }));
    const afterMs = randomInt(20, 400);
    try {
      await killDuring<RefundAnswer>(
        wanted.map(
          ({ id, key }) =>
            () =>
              refund(graph, id, '20.00', key),
        ),
        afterMs,
      );
      await Promise.all(wanted.map(({ id, key }) => refund(graph, id, '20.00', key)));
      const after = await Promise.all(wanted.map(({ id }) => settled(graph, id, RECOVERY_MS)));
      const books = await readBooks(graph);
      for (const payment of after) {
        expect(payment.refunds.nodes).toMatchObject([{ status: 'COMPLETED', amount: { amount: '20.00' } }]);
        expect(payment.refundedAmount.amount).toBe('20.00');
        const { refunds, networkRefunds, captures } = bookedFor(payment.id, books);
        expect(networkRefunds).toEqual(['20.00 CNY SUCCESS']);
        expect(refunds).toHaveLength(1);
        expect(captures).toEqual([`${payment.total.amount} USD PARTIALLY_REFUNDED`]);
      }
      expect(await discrepanciesOf(graph)).toEqual([]);
    } catch (thrown) {
      throw new Error(`killed after ${afterMs} ms`, { cause: thrown });
    }
  }, 90_000);
});

describe('A graph that is stopped', () => {
  it('leaves no process behind, and finds everything when it is started again', async () => {
    const id = await pay(graph, 'slow');
    const before = await settled(graph, id);
    const history = await graph.run('traveler', 'traveler-history', { first: 100 });
    const books = await readBooks(graph);
    const codes = await (await fetch(`${graph.url}/dev/codes`)).text();
    // The server, two simulators, PostgreSQL and its workers.
    expect(processesNaming(graph.folder).length).toBeGreaterThanOrEqual(4);
    expect(await graph.stop()).toBe(0);
    await noProcessNames(graph.folder, 2_000);

    await graph.startAgain();
    // Tokens of before still hold: the same address, the same keys.
    expect(await paymentOf(graph, id)).toEqual(before);
    expect(await graph.run('traveler', 'traveler-history', { first: 100 })).toEqual(history);
    expect(await readBooks(graph)).toEqual(books);
    expect(await (await fetch(`${graph.url}/dev/codes`)).text()).toBe(codes);
    expect((await settled(graph, await pay(graph, 'ok'))).status).toBe('COMPLETED');
  });
});
