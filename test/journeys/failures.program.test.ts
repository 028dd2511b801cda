import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { maya } from '../../local/seed.identities.js';
import { documents } from '../support/documents.js';
import { RunningGraph } from '../support/graph.js';
import { Neighbour } from '../support/neighbour.js';
import { bookedFor, discrepanciesOf, expectedFor, readBooks } from '../support/outside-books.js';
import {
  checkout,
  codesIn,
  confirm,
  eventually,
  type PaymentAnswer,
  pay,
  paymentOf,
  refund,
  settled,
  storeOf,
  yuan,
} from '../support/shopping.js';
import { type Delivered, overSse } from '../support/subscribers.js';

/** Five seconds for a query and its retries, and a little for this machine. */
const QUERY_DEADLINE_MS = 6_500;
const RECOVERY_MS = 75_000;

let graph: RunningGraph;
let database: Neighbour;
let paypal: Neighbour;
let wechatPay: Neighbour;
beforeAll(async () => {
  graph = await RunningGraph.start();
  database = await Neighbour.database(graph);
  paypal = Neighbour.simulator(graph, 'paypal');
  wechatPay = Neighbour.simulator(graph, 'wechat-pay');
});
afterAll(async () => {
  await graph.stop();
  // Brought back by this test, they are nobody else's to stop.
  await Promise.all([paypal.end('SIGTERM'), wechatPay.end('SIGTERM'), database.end('SIGINT')]);
  await graph.remove();
});

async function readiness(): Promise<number> {
  return (await fetch(`${graph.url}/health/ready`)).status;
}

async function untilReady(): Promise<void> {
  await eventually(15_000, 'the graph to be ready', async () => ((await readiness()) === 200 ? true : null));
}

/** The codes of the answer, and that it came in time. */
async function refusedInTime(asker: 'traveler' | 'merchant', query: string, variables: Record<string, unknown> = {}) {
  const began = performance.now();
  const answer = await graph.ask(asker, query, variables);
  expect(performance.now() - began).toBeLessThan(QUERY_DEADLINE_MS);
  return codesIn(answer);
}

async function expectSettled(ids: readonly string[]): Promise<PaymentAnswer[]> {
  const payments = await Promise.all(ids.map((id) => settled(graph, id, RECOVERY_MS)));
  expect(payments.map(({ status }) => status)).toEqual(ids.map(() => 'COMPLETED'));
  const books = await readBooks(graph);
  for (const payment of payments.filter(({ refunds }) => refunds.nodes.length === 0))
    expect(bookedFor(payment.id, books)).toEqual(expectedFor(payment));
  expect(await discrepanciesOf(graph)).toEqual([]);
  return payments;
}

describe('A network that is gone', () => {
  it('is said to be unavailable; what was promised is done when it is back, without a restart of ours', async () => {
    const paid = await settled(graph, await pay(graph, 'ok', '30.00'));
    await wechatPay.end('SIGKILL');
    const unknown = { payload: 'weixin://wxpay/bizpayurl?pr=whoknows' };
    expect(await refusedInTime('traveler', documents.read('resolve-code'), unknown)).toEqual(['NETWORK_UNAVAILABLE']);
    const input = {
      merchantId: storeOf('ok').merchantId,
      amount: yuan('6.00'),
      reference: 'While it was gone',
      idempotencyKey: randomUUID(),
    };
    expect(await refusedInTime('merchant', documents.read('create-code'), { input })).toEqual(['NETWORK_UNAVAILABLE']);
    // What we know ourselves needs no network, and a promise can be made: it is kept later.
    const payments = await Promise.all(['ok', 'slow', 'lost-reply'].map((scenario) => pay(graph, scenario as 'ok')));
    const given = await refund(graph, paid.id, '4.00');
    await delay(1_500);
    for (const id of payments) expect((await paymentOf(graph, id)).isFinal).toBe(false);
    expect((await paymentOf(graph, paid.id)).refunds.nodes).toMatchObject([{ id: given.id, status: 'PROCESSING' }]);
    expect(await readiness()).toBe(200);

    await wechatPay.startAgain();
    const created = await eventually(10_000, 'the network', async () => {
      const { data } = await graph.ask<Record<string, unknown>>('merchant', documents.read('create-code'), { input });
      return data ?? null;
    });
    expect(created).toMatchObject({ createPaymentCode: { code: { kind: 'DYNAMIC' } } });
    await expectSettled([...payments, paid.id]);
    expect((await paymentOf(graph, paid.id)).refunds.nodes).toMatchObject([{ status: 'COMPLETED' }]);
  });
});

describe('A wallet that is gone', () => {
  it('holds payments and refunds up, and charges each once when it is back', async () => {
    const paid = await settled(graph, await pay(graph, 'ok', '30.00'));
    const under = [pay(graph, 'slow'), pay(graph, 'capture-fails-once'), pay(graph, 'ok')];
    const started = await Promise.all(under);
    await paypal.end('SIGKILL');
    const late = await pay(graph, 'ok');
    await refund(graph, paid.id, null);
    await delay(1_500);
    expect((await paymentOf(graph, late)).status).toBe('PROCESSING');
    await paypal.startAgain();
    await expectSettled([...started, late, paid.id]);
    const { refunds } = bookedFor(paid.id, await readBooks(graph));
    expect(refunds).toEqual([`${paid.total.amount} USD COMPLETED`]);
  });
});

describe('Others that are slow', () => {
  it('make us say so in time: a network that does not answer, a table that is locked', async () => {
    const { id } = await settled(graph, await pay(graph, 'ok'));
    const client = new pg.Client({ connectionString: graph.databaseUrl('payments') });
    await client.connect();
    wechatPay.freeze();
    try {
      await client.query('begin');
      await client.query('lock table payment in access exclusive mode');
      const [read, resolved, history] = await Promise.all([
        refusedInTime('traveler', documents.read('payment'), { id }),
        refusedInTime('traveler', documents.read('resolve-code'), { payload: 'weixin://wxpay/bizpayurl?pr=slowly' }),
        refusedInTime('traveler', documents.read('traveler-history'), { first: 1 }),
      ]);
      expect(read).toEqual(['SUBGRAPH_UNAVAILABLE']);
      expect(history).toEqual(['SUBGRAPH_UNAVAILABLE']);
      expect(['NETWORK_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE']).toContain(resolved[0]);
      // Others are not held up by it.
      expect(await graph.run('traveler', 'resolve-code', { payload: storeOf('ok').payload })).toBeTruthy();
    } finally {
      await client.query('rollback');
      await client.end();
      wechatPay.thaw();
    }
    await eventually(
      10_000,
      'the payment',
      async () => (await graph.ask('traveler', documents.read('payment'), { id })).data ?? null,
    );
    await expectSettled([id, await pay(graph, 'ok')]);
  });
});

describe('A database that is restarted', () => {
  it('is said to be unavailable in time; then everything goes on: requests, payments, streams, without a restart', async () => {
    const began = ['slow', 'ok', 'lost-reply', 'capture-fails-once'] as const;
    const started = await Promise.all(began.map((scenario) => pay(graph, scenario)));
    const [watched = ''] = started;
    const follow = (after: string | null) =>
      overSse({
        url: graph.url,
        query: documents.read('payment-events'),
        variables: { paymentId: watched, after },
        token: graph.bearer('traveler'),
      });
    const stream = follow(null);
    await stream.receive(1);
    const { id: opened } = await checkout(graph, 'ok');
    const input = { checkoutId: opened, idempotencyKey: randomUUID() };

    await database.end('SIGINT');
    const unavailable = (codes: unknown[]) => expect(codes).toEqual(['SUBGRAPH_UNAVAILABLE']);
    await Promise.all([
      refusedInTime('traveler', documents.read('payment'), { id: watched }).then(unavailable),
      refusedInTime('traveler', documents.read('resolve-code'), { payload: storeOf('ok').payload }).then(unavailable),
      refusedInTime('traveler', documents.read('confirm-checkout'), { input }).then(unavailable),
      refusedInTime('traveler', documents.read('start-checkout'), {
        input: {
          code: storeOf('ok').payload,
          amount: yuan('1.00'),
          walletId: maya.walletId,
          idempotencyKey: randomUUID(),
        },
      }).then(unavailable),
      refusedInTime('merchant', '{ merchant(id: "mer_cn_01jgg00000e008000000000001") { name } }').then(unavailable),
    ]);
    expect(await readiness()).toBe(503);
    expect((await fetch(`${graph.url}/health/live`)).status).toBe(200);

    await database.startAgain();
    await untilReady();
    // The same key: whatever became of the first try, there is one payment.
    const confirmed = await confirm(graph, opened, input.idempotencyKey);
    expect((await confirm(graph, opened, input.idempotencyKey)).id).toBe(confirmed.id);
    await expectSettled([...started, confirmed.id]);

    // Not all of them need have come, but none was left out, and none came as an error in its place.
    const seen = stream.received.filter(({ data }) => data);
    expect(seen.map(sequenceOf)).toEqual([1, 2, 3, 4, 5].slice(0, seen.length));
    const resumed = follow(cursorOf(seen.at(-1)));
    const rest = seen.length < 5 ? await resumed.receive(5 - seen.length) : [];
    expect([...seen, ...rest].map(sequenceOf)).toEqual([1, 2, 3, 4, 5]);
    stream.leave();
    resumed.leave();
    // A stream that is opened now is live.
    const fresh = await pay(graph, 'ok');
    const live = overSse({
      url: graph.url,
      query: documents.read('payment-events'),
      variables: { paymentId: fresh },
      token: graph.bearer('traveler'),
    });
    expect((await live.receive(5)).map(sequenceOf)).toEqual([1, 2, 3, 4, 5]);
    live.leave();
  }, 150_000);
});

function eventOf(delivered: Delivered | undefined): { cursor?: string; sequence?: number } {
  return (delivered?.data?.['paymentEvents'] ?? {}) as { cursor?: string; sequence?: number };
}

const cursorOf = (delivered: Delivered | undefined) => eventOf(delivered).cursor ?? null;
const sequenceOf = (delivered: Delivered) => eventOf(delivered).sequence;
