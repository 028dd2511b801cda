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
  persistently,
  refund,
  settled,
} from '../support/shopping.js';

const PAYMENTS = 20;
const REFUNDS = 3;
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

/** What a client knows of a confirmation: its checkout and its key. */
interface Confirmation {
  readonly checkoutId: string;
  readonly idempotencyKey: string;
  /** The payment's id, where the answer arrived before the kill. */
  readonly answered: string | null;
}

interface WantedRefund {
  readonly paymentId: string;
  readonly idempotencyKey: string;
}

/** Twenty payments and some refunds are under way when the graph is killed; then it is started again. */
async function killDuring(afterMs: number, refunds: readonly WantedRefund[]): Promise<Confirmation[]> {
  const opened = await Promise.all(
    Array.from({ length: PAYMENTS }, (_, index) =>
      persistently(() => checkout(graph, scenarios[index % scenarios.length] ?? 'ok', '64.20')),
    ),
  );
  const wanted = opened.map(({ id }) => ({ checkoutId: id, idempotencyKey: randomUUID() }));
  // What is cut off by the kill throws: its client knows nothing, and asks again later.
  const confirmed = wanted.map(({ checkoutId, idempotencyKey }) =>
    confirm(graph, checkoutId, idempotencyKey).catch(() => null),
  );
  const refunded = refunds.map((each) => refund(graph, each.paymentId, '20.00', each.idempotencyKey).catch(() => null));
  await delay(afterMs);
  await graph.kill();
  const answers = await Promise.all(confirmed);
  await Promise.all(refunded);
  await graph.startAgain();
  return wanted.map((each, index) => ({ ...each, answered: answers[index]?.id ?? null }));
}

/** Every payment of the graph must agree with the books of both outside systems, and the ledger with itself. */
async function expectBooksFor(payments: readonly PaymentAnswer[]): Promise<void> {
  const books = await readBooks(graph);
  const found = payments.map(({ id }) => ({ id, ...bookedFor(id, books) }));
  expect(found).toEqual(payments.map((payment) => ({ id: payment.id, ...expectedFor(payment) })));
  expect(await discrepanciesOf(graph)).toEqual([]);
}

describe('A graph that is killed', () => {
  const delays = ROUNDS.map(({ from, to }) => randomInt(from, to));
  /** A failure says at which moments it happened. */
  const told = (law: () => Promise<void>) => () =>
    law().catch((thrown: unknown) => {
      throw new Error(`killed after ${delays.join(', ')} ms`, { cause: thrown });
    });
  let payments: PaymentAnswer[];
  let refunds: WantedRefund[];

  it(
    'ends every payment of three rounds, each once, and answers who asks again',
    told(async () => {
      const old = await Promise.all(
        Array.from({ length: REFUNDS * ROUNDS.length }, async () => settled(graph, await pay(graph, 'ok', '64.20'))),
      );
      refunds = old.map(({ id }) => ({ paymentId: id, idempotencyKey: randomUUID() }));
      const confirmations: Confirmation[] = [];
      // Payments and refunds of an earlier round are still at work when the next kill comes.
      for (const [round, afterMs] of delays.entries())
        confirmations.push(...(await killDuring(afterMs, refunds.slice(round * REFUNDS, (round + 1) * REFUNDS))));
      const repeated = await Promise.all(
        confirmations.map(({ checkoutId, idempotencyKey }) =>
          persistently(() => confirm(graph, checkoutId, idempotencyKey)),
        ),
      );
      for (const [index, { answered }] of confirmations.entries())
        if (answered) expect(repeated[index]?.id).toBe(answered);
      expect(new Set(repeated.map(({ id }) => id)).size).toBe(PAYMENTS * ROUNDS.length);
      await Promise.all(
        refunds.map(({ paymentId, idempotencyKey }) =>
          persistently(() => refund(graph, paymentId, '20.00', idempotencyKey)),
        ),
      );

      const ids = [...repeated.map(({ id }) => id), ...refunds.map(({ paymentId }) => paymentId)];
      const all = await Promise.all(ids.map((id) => persistently(() => settled(graph, id, RECOVERY_MS))));
      payments = all.slice(0, repeated.length);
      const statuses = payments.map(({ status }) => status);
      expect(statuses.filter((status) => !['COMPLETED', 'DECLINED', 'FAILED'].includes(status))).toEqual([]);
      // Twenty payments over seven scenarios: three are declined and three refused in each round.
      expect(statuses.filter((status) => status === 'DECLINED')).toHaveLength(3 * ROUNDS.length);
      expect(statuses.filter((status) => status === 'FAILED')).toHaveLength(3 * ROUNDS.length);
    }),
    150_000,
  );

  it(
    'charged each payment once or not at all, and the books of all sides agree',
    told(async () => {
      await expectBooksFor(payments);
      // Nor is anything booked for a payment that nobody knows of.
      const known = new Set([...payments.map(({ id }) => id), ...refunds.map(({ paymentId }) => paymentId)]);
      const { paypal, wechatPay } = await readBooks(graph);
      const booked = [...paypal.captures, ...paypal.authorizations, ...wechatPay.transactions];
      expect(booked.filter(({ paymentId }) => !known.has(paymentId))).toEqual([]);
    }),
  );

  it(
    'gave back each refund once',
    told(async () => {
      const books = await readBooks(graph);
      for (const { paymentId } of refunds) {
        const payment = await paymentOf(graph, paymentId);
        expect(payment.refunds.nodes).toMatchObject([{ status: 'COMPLETED', amount: { amount: '20.00' } }]);
        expect(payment.refundedAmount.amount).toBe('20.00');
        const booked = bookedFor(paymentId, books);
        expect(booked.networkRefunds).toEqual(['20.00 CNY SUCCESS']);
        expect(booked.refunds).toHaveLength(1);
        expect(booked.captures).toEqual([`${payment.total.amount} USD PARTIALLY_REFUNDED`]);
      }
    }),
  );

  it(
    'keeps the events of each payment without a gap, its last one final',
    told(async () => {
      for (const { events, status } of payments) {
        expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
        expect(events.at(-1)?.type).toBe(status);
        expect(new Set(events.map(({ type }) => type)).size).toBe(events.length);
      }
    }),
  );
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
  });

  it('lets what is under way go on after the next start, at once', async () => {
    const ids = await Promise.all((['slow', 'ok', 'lost-reply'] as const).map((scenario) => pay(graph, scenario)));
    expect(await graph.stop()).toBe(0);
    await graph.startAgain();
    const payments = await Promise.all(ids.map((id) => settled(graph, id, 10_000)));
    expect(payments.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    await expectBooksFor(payments);
  });
});
