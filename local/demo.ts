import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { messageOf } from '../subgraphs/kernel/error.js';
import { DemoClient } from './demo.client.js';
import * as operations from './demo.operations.js';

// `npm run demo [-- <scenario>]`: one payment through a running graph, as a traveler's and a merchant's app see it. Where
// none runs, one is started on a temporary DATA_DIR and removed afterwards.

const AMOUNT = { amount: '88.00', currencyCode: 'CNY' };
const PART = { amount: '20.00', currencyCode: 'CNY' };
const START_DEADLINE_MS = 60_000;

const began = performance.now();
const scenario = process.argv[2] ?? 'ok';
const graph = await runningGraph();
try {
  await walk(graph.url);
} catch (thrown) {
  console.error(`\nThe demo stopped: ${messageOf(thrown)}`);
  process.exitCode = 1;
} finally {
  await graph.stop();
}

async function walk(url: string): Promise<void> {
  const { tokens, code } = await scripted(url);
  const traveler = new DemoClient(url, tokens.traveler);
  const merchant = new DemoClient(url, tokens.merchant);

  title(`Maya scans ${code.name}'s code: ${code.payload}`);
  const { resolveCode } = await traveler.ask(operations.resolveCode, { payload: code.payload });
  const shop = resolveCode.merchant;
  line(`${shop.name} (${shop.localName}), ${shop.city}; a ${resolveCode.kind} code of ${resolveCode.network}`);

  const { viewer } = await traveler.ask(operations.viewer, {});
  const [wallet] = viewer.traveler.wallets;
  if (!wallet) throw new Error('Maya has no wallet');
  title(`She types ${AMOUNT.amount} ${AMOUNT.currencyCode} and sees what it costs her, locked`);
  const { startCheckout } = await traveler.ask(operations.startCheckout, {
    input: { code: code.payload, amount: AMOUNT, walletId: wallet.id, idempotencyKey: randomUUID() },
  });
  const { checkout } = startCheckout;
  const { quote } = checkout;
  line(`${checkout.total.formatted} from ${wallet.label}, until ${checkout.expiresAt}`);
  line(`mid rate ${quote.midRate}, customer rate ${quote.customerRate} (${quote.source}, as of ${quote.asOf})`);
  line(`spread ${amount(quote.spread)}, fee ${amount(quote.fee)}, the merchant gets ${amount(quote.buy)}`);

  title('She confirms');
  const confirmedAt = performance.now();
  const { confirmCheckout } = await traveler.ask(operations.confirmCheckout, {
    input: { checkoutId: checkout.id, idempotencyKey: randomUUID() },
  });
  const { payment } = confirmCheckout;
  line(`${payment.id} is ${payment.status}`);
  let status = payment.status;
  for await (const { paymentEvents: event } of traveler.watch(operations.paymentEvents, { paymentId: payment.id })) {
    line(`${since(confirmedAt)}  ${event.type.padEnd(18)} ${event.status}`);
    status = event.status;
    if (event.terminal) break;
  }
  if (status === 'COMPLETED') await refund(traveler, merchant, payment.id);
  await histories(traveler, merchant, code.merchantId);
  await books(url, payment.id);
  line(`\nAll of it took ${since(began).trim()}, starting included.`);
}

async function refund(traveler: DemoClient, merchant: DemoClient, paymentId: string): Promise<void> {
  title(`The merchant gives ${PART.amount} ${PART.currencyCode} back, at the original rate`);
  const askedAt = performance.now();
  const { refundPayment } = await merchant.ask(operations.refundPayment, {
    input: { paymentId, amount: PART, reason: 'One pot of tea was not served', idempotencyKey: randomUUID() },
  });
  line(`${refundPayment.refund.id}: Maya gets ${amount(refundPayment.refund.total)}`);
  for await (const { paymentEvents: event } of traveler.watch(operations.paymentEvents, { paymentId })) {
    if (!event.type.startsWith('REFUND')) continue;
    line(`${since(askedAt)}  ${event.type.padEnd(18)} ${event.status}`);
    if (event.type !== 'REFUND_REQUESTED') break;
  }
}

async function histories(traveler: DemoClient, merchant: DemoClient, merchantId: string): Promise<void> {
  title('Both histories show it');
  const hers = await traveler.ask(operations.travelerHistory, { first: 1 });
  const theirs = await merchant.ask(operations.merchantHistory, { merchantId, first: 1 });
  for (const node of hers.viewer.traveler.payments.nodes)
    line(`Maya      ${node.id} ${node.status} ${amount(node.total)}, refunded ${amount(node.refundedAmount)}`);
  for (const node of theirs.merchant.payments.nodes) line(`merchant  ${node.id} ${node.status} ${amount(node.amount)}`);
}

async function books(url: string, paymentId: string): Promise<void> {
  title('What the outside systems believe of it');
  const entry = z.looseObject({ paymentId: z.string(), amount: z.string(), currency: z.string(), status: z.string() });
  const book = z.record(z.string(), z.array(entry));
  const answer = await fetch(`${url}/dev/books`);
  const { paypal, wechatPay } = z.object({ paypal: book, wechatPay: book }).parse(await answer.json());
  for (const [system, pages] of Object.entries({ PayPal: paypal, 'WeChat Pay': wechatPay }))
    for (const [page, entries] of Object.entries(pages))
      for (const { status, amount: sum, currency } of entries.filter((candidate) => candidate.paymentId === paymentId))
        line(`${system.padEnd(11)} ${page.padEnd(15)} ${sum} ${currency} ${status}`);
}

async function scripted(url: string) {
  const tokens = z
    .object({ traveler: z.string(), merchant: z.string() })
    .parse(await (await fetch(`${url}/dev/tokens`)).json());
  const code = z.object({ name: z.string(), payload: z.string(), merchantId: z.string(), scenario: z.string() });
  const codes = z.array(code).parse(await (await fetch(`${url}/dev/codes`)).json());
  const chosen = codes.find((candidate) => candidate.scenario === scenario);
  if (!chosen) throw new Error(`there is no scenario ${scenario}: ${codes.map((each) => each.scenario).join(', ')}`);
  return { tokens, code: chosen };
}

/** The graph on this machine; else one of our own, thrown away afterwards. */
async function runningGraph(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = `http://127.0.0.1:${process.env['PORT'] ?? 4000}`;
  const answer = await fetch(`${url}/dev/tokens`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  if (answer?.ok) return { url, stop: async () => undefined };
  line(`Nothing runs at ${url}: starting a graph of its own, on a temporary folder`);
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-demo-'));
  const child = fork(fileURLToPath(new URL('main.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, DATA_DIR: folder, PORT: '0' },
  });
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().then(() => process.exit(1)));
  process.once('disconnect', () => void stop().then(() => process.exit(1)));
  // Listening for the end of our parent must not keep us from ending ourselves.
  process.channel?.unref();
  const said = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_DEADLINE_MS) }),
    once(child, 'exit').then(() => null),
  ]);
  if (said) return { url: z.object({ url: z.string() }).parse(said[0]).url, stop };
  await stop();
  throw new Error('the graph did not start');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

function title(text: string): void {
  console.log(`\n${text}`);
}

function line(text: string): void {
  console.log(`  ${text}`);
}

function amount(money: { amount: string; currencyCode: string }): string {
  return `${money.amount} ${money.currencyCode}`;
}

function since(start: number): string {
  return `+${Math.round(performance.now() - start)} ms`.padStart(9);
}
