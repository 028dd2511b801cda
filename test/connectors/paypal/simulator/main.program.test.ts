import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PaypalClient } from '../../../../connectors/paypal/paypal.client.js';
import { PaypalRefusal } from '../../../../connectors/paypal/paypal.errors.js';
import { type Books, captureOf, clientOf, closeEverything, freshFolder, later, usd } from '../counterpart.js';

afterEach(closeEverything);

const MAIN = join(process.cwd(), 'dist', 'connectors', 'paypal', 'simulator', 'main.js');

async function start(folder: string, environment: Record<string, string> = {}) {
  const child = fork(MAIN, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: {
      PATH: process.env['PATH'],
      BOOKS_DIR: folder,
      PAYPAL_CLIENT_ID: 'client',
      PAYPAL_CLIENT_SECRET: 'secret',
      PAYPAL_WEBHOOK_ID: 'WH1',
      PAYPAL_WALLETS: '[{"vaultId":"vault-good"}]',
      ...environment,
    },
  });
  later(() => stop(child, 'SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  let problems = '';
  child.stderr?.on('data', (chunk) => {
    problems += chunk;
  });
  const url = await Promise.race([
    once(child, 'message').then(([message]) => (message as { url: string }).url),
    once(child, 'exit').then(([code]) => {
      throw new Error(`exit ${code}: ${problems}`);
    }),
  ]);
  return { child, url, output: () => output };
}

async function stop(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function booksOf(url: string): Promise<Books> {
  return (await (await fetch(`${url}/books`)).json()) as Books;
}

/** One payment with fixed keys, as far as it gets; the ids that were answered. */
async function pay(client: PaypalClient, name: string): Promise<{ captureId: string }> {
  const order = await client.createOrder({
    requestId: `order-${name}`,
    paymentId: `pay_us_${name}`,
    invoiceId: `invoice-${name}`,
    referenceId: 'reference',
    amount: usd('14.11'),
    vaultId: 'vault-good',
    description: 'Noodles',
  });
  const { authorization } = await client.authorizeOrder({ requestId: `authorize-${name}`, orderId: order.id });
  const capture = await client.captureAuthorization(captureOf(name, authorization?.id ?? ''));
  return { captureId: capture.id };
}

describe('The process', () => {
  it('says where it listens, on standard output and to the process that started it', async () => {
    const { url, output } = await start(freshFolder());
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(output()).toBe(`listening on ${url}\n`);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends in order on %s', async (signal) => {
    const { child } = await start(freshFolder());
    child.kill(signal);
    expect(await exitCodeOf(child)).toBe(0);
  });

  it('goes with the process that started it', async () => {
    const { child } = await start(freshFolder());
    child.disconnect();
    expect(await exitCodeOf(child)).toBe(0);
  });

  it('does not start without what it needs', async () => {
    await expect(start('', {})).rejects.toThrow(/BOOKS_DIR/);
  });

  it('killed in the middle of many payments loses nothing that it answered, and charges none twice', async () => {
    const folder = freshFolder();
    const first = await start(folder);
    const port = new URL(first.url).port;
    const names = Array.from({ length: 40 }, (_, n) => `payment-${n}`);
    const client = clientOf(first.url, { deadlineMs: 2_000 });
    const answered = new Map<string, string>();
    const attempt = (name: string) => pay(client, name).then(({ captureId }) => answered.set(name, captureId));
    const attempts = names.map((name) => attempt(name).catch(() => undefined));
    while (answered.size === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await stop(first.child, 'SIGKILL');
    await Promise.all(attempts);
    const before = new Map(answered);

    const second = await start(folder, { PORT: port });
    for (const name of names) await retried(() => attempt(name));
    for (const [name, captureId] of before) expect(answered.get(name)).toBe(captureId);
    const { captures } = await booksOf(second.url);
    expect(captures.map(({ paymentId }) => paymentId).toSorted()).toEqual(
      names.map((name) => `pay_us_${name}`).toSorted(),
    );
    expect(new Set(captures.map(({ id }) => id))).toEqual(new Set(answered.values()));
  });

  it('started while the one before still stops waits for it', async () => {
    const folder = freshFolder();
    const first = await start(folder);
    first.child.kill('SIGTERM');
    const second = await start(folder);
    expect(await exitCodeOf(first.child)).toBe(0);
    expect((await fetch(`${second.url}/health`)).status).toBe(200);
  });
});

/** As a saga does: the same request, with the same keys, until there is an answer. */
async function retried(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (thrown) {
      if (tries === 5 || (thrown instanceof PaypalRefusal && thrown.action !== 'RETRY')) throw thrown;
    }
  }
}
