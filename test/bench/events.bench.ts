import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { DemoClient } from '../../local/demo.client.js';
import * as operations from '../../local/demo.operations.js';
import { databaseUrl } from '../../subgraphs/kernel/configuration.js';
import { ms, printRow, printTitle, quantile } from './figures.js';
import type { Lab } from './lab.js';

const PAYMENTS = 40;
const NOTIFICATIONS = 300;

/**
 * From the commit of a payment's step, by PostgreSQL's own note of it, to the subscriber who has read the event, over SSE
 * through the gateway. PostgreSQL notes the moment before it flushes, so the flush is part of the figure.
 */
export async function benchEvents(lab: Lab, url: string): Promise<void> {
  printTitle('Event latency, from commit to subscriber (one payment at a time, SSE through the gateway)');
  const database = new pg.Client({ connectionString: databaseUrl('payments', lab.environment) });
  await database.connect();
  const latencies: number[] = [];
  try {
    for (let count = 0; count < PAYMENTS; count += 1) latencies.push(...(await latenciesOfOne(lab, url, database)));
  } finally {
    await database.end();
  }
  const bare = await notificationLatencies(databaseUrl('bus', lab.environment));
  for (const [name, values] of [
    [`${latencies.length} events`, latencies],
    ['  baseline: bare NOTIFY, sent to heard', bare],
  ] as const)
    printRow(name, `p50 ${ms(quantile(values, 0.5))}`, `p99 ${ms(quantile(values, 0.99))}`);
}

async function latenciesOfOne(lab: Lab, url: string, database: pg.Client): Promise<number[]> {
  const [traveler] = lab.travelers;
  const app = new DemoClient(url, traveler?.token ?? '');
  const { startCheckout } = await app.ask(operations.startCheckout, {
    input: {
      code: lab.store.payload,
      amount: { amount: '7.00', currencyCode: 'CNY' },
      walletId: traveler?.walletId,
      idempotencyKey: randomUUID(),
    },
  });
  const { confirmCheckout } = await app.ask(operations.confirmCheckout, {
    input: { checkoutId: startCheckout.checkout.id, idempotencyKey: randomUUID() },
  });
  const paymentId = confirmCheckout.payment.id;
  const arrivals: number[] = [];
  for await (const { paymentEvents } of app.watch(operations.paymentEvents, { paymentId })) {
    arrivals.push(performance.timeOrigin + performance.now());
    if (paymentEvents.terminal) break;
  }
  const { rows } = await database.query<{ committed: number }>(
    `select extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as committed
       from payment_event where payment_id = $1 order by sequence`,
    [paymentId],
  );
  // The first ones were there before anybody could subscribe: the payment's id was not known.
  const [subscribedAt = 0] = arrivals;
  return arrivals.flatMap((arrival, index) => {
    const committed = rows[index]?.committed;
    if (committed === undefined) throw new Error('an event arrived that no row tells of');
    return committed > subscribedAt ? [arrival - committed] : [];
  });
}

async function notificationLatencies(url: string): Promise<number[]> {
  const [listener, notifier] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
  await Promise.all([listener.connect(), notifier.connect()]);
  const latencies: number[] = [];
  try {
    await listener.query('listen bench');
    for (let count = 0; count < NOTIFICATIONS; count += 1) {
      const heard = once(listener, 'notification').then(() => performance.now());
      const sent = performance.now();
      await notifier.query('notify bench');
      latencies.push((await heard) - sent);
    }
  } finally {
    await Promise.all([listener.end(), notifier.end()]);
  }
  return latencies;
}
