import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { DemoClient } from '../../local/demo.client.js';
import * as operations from '../../local/demo.operations.js';
import { maya } from '../../local/seed.identities.js';
import { START_WITHIN_MS } from '../support/graph.js';
import { noProcessNames, Program } from '../support/processes.js';

const tokensSchema = z.record(z.string(), z.string());
const codesSchema = z.array(z.object({ payload: z.string(), scenario: z.string(), merchantId: z.string() }));
const entries = z.array(
  z.looseObject({ paymentId: z.string(), amount: z.string(), currency: z.string(), status: z.string() }),
);
const booksSchema = z.object({
  paypal: z.strictObject({ orders: entries, authorizations: entries, captures: entries, refunds: entries }),
  wechatPay: z.strictObject({ transactions: entries, refunds: entries }),
});

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sojourn main '));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(environment: Readonly<Record<string, string>> = {}): Program {
  return Program.start('local/main.js', { DATA_DIR: folder, PORT: '0', ...environment });
}

async function ready(program: Program): Promise<string> {
  const [, url = ''] = await program.says(/ready at (http:\S+)/, START_WITHIN_MS);
  return url;
}

async function read<Answer>(url: string, schema: z.ZodType<Answer>): Promise<Answer> {
  return schema.parse(await (await fetch(url)).json());
}

async function signedIn(url: string): Promise<{ traveler: DemoClient; merchant: DemoClient }> {
  const { traveler = '', merchant = '' } = await read(`${url}/dev/tokens`, tokensSchema);
  return { traveler: new DemoClient(url, traveler), merchant: new DemoClient(url, merchant) };
}

async function pay(url: string, scenario = 'ok'): Promise<string> {
  const { traveler } = await signedIn(url);
  const code = (await read(`${url}/dev/codes`, codesSchema)).find((candidate) => candidate.scenario === scenario);
  const amount = { amount: '31.00', currencyCode: 'CNY' };
  const { startCheckout } = await traveler.ask(operations.startCheckout, {
    input: { code: code?.payload, amount, walletId: maya.walletId, idempotencyKey: randomUUID() },
  });
  const { confirmCheckout } = await traveler.ask(operations.confirmCheckout, {
    input: { checkoutId: startCheckout.checkout.id, idempotencyKey: randomUUID() },
  });
  return confirmCheckout.payment.id;
}

async function finalStatus(url: string, paymentId: string): Promise<string> {
  const { traveler } = await signedIn(url);
  for await (const { paymentEvents } of traveler.watch(operations.paymentEvents, { paymentId }))
    if (paymentEvents.terminal) return paymentEvents.status;
  return 'the stream ended before the payment';
}

describe('npm start', () => {
  it('brings everything up on an empty folder, and a second start finds it as it was', async () => {
    const first = start();
    const url = await ready(first);
    expect(statSync(join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
    const paymentId = await pay(url);
    expect(await finalStatus(url, paymentId)).toBe('COMPLETED');
    const before = {
      codes: await read(`${url}/dev/codes`, codesSchema),
      books: await read(`${url}/dev/books`, booksSchema),
    };
    expect(await first.end('SIGINT')).toBe(0);
    await noProcessNames(folder);

    const second = start();
    const again = await ready(second);
    expect(await read(`${again}/dev/codes`, codesSchema)).toEqual(before.codes);
    expect(await read(`${again}/dev/books`, booksSchema)).toEqual(before.books);
    const { traveler } = await signedIn(again);
    const { viewer } = await traveler.ask(operations.travelerHistory, { first: 5 });
    expect(viewer.traveler.payments.nodes.map(({ id, status }) => ({ id, status }))).toEqual([
      { id: paymentId, status: 'COMPLETED' },
    ]);
    expect(await second.end('SIGTERM')).toBe(0);
    await noProcessNames(folder);
  });

  it('leaves nobody behind when it is killed, and the next start finishes what was under way', async () => {
    const first = start();
    const paymentId = await pay(await ready(first), 'slow');
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    await noProcessNames(folder);

    const second = start();
    const url = await ready(second);
    expect(await finalStatus(url, paymentId)).toBe('COMPLETED');
    const { paypal, wechatPay } = await read(`${url}/dev/books`, booksSchema);
    const ours = (entry: { paymentId: string }) => entry.paymentId === paymentId;
    expect(paypal.captures.filter(ours)).toHaveLength(1);
    expect(wechatPay.transactions.filter(ours)).toHaveLength(1);
    await second.end('SIGTERM');
  });

  it('says what is wrong instead of starting: a taken port, a folder in use, a wrong setting', async () => {
    const running = start();
    const { port } = new URL(await ready(running));
    const other = mkdtempSync(join(tmpdir(), 'sojourn-other-'));
    const taken = start({ DATA_DIR: other, PORT: port });
    const wrong = start({ DATA_DIR: other, PORT: 'four thousand' });
    const inUse = start();
    expect([await taken.end(), await wrong.end(), await inUse.end()]).toEqual([1, 1, 1]);
    expect(taken.said).toContain(`Port ${port} is taken`);
    expect(wrong.said).toMatch(/PORT: /);
    expect(inUse.said).toContain('Another start of Sojourn uses');
    for (const { said } of [taken, wrong, inUse]) expect(said).not.toContain('    at ');
    // None of them did the running one any harm.
    expect(await finalStatus(`http://127.0.0.1:${port}`, await pay(`http://127.0.0.1:${port}`))).toBe('COMPLETED');
    expect(await running.end('SIGINT')).toBe(0);
    rmSync(other, { recursive: true, force: true });
  });

  it('stops in order also when it is told to while it still starts', async () => {
    const early = start();
    while (!existsSync(join(folder, 'lock'))) await delay(5);
    expect(await early.end('SIGTERM')).toBe(0);
    await noProcessNames(folder);
  });
});
