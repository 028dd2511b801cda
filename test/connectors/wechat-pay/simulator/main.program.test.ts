import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WechatPayUnknown } from '../../../../connectors/wechat-pay/wechat-pay.errors.js';
import {
  type WalletPayment,
  WechatPayWalletClient,
} from '../../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { PROGRAM_FLAGS } from '../../../support/processes.js';
import {
  API_V3_KEY,
  configurationFor,
  fromNow,
  MCHID,
  MERCHANT_SERIAL,
  merchantKeys,
  PLATFORM_SERIAL,
  type PublishedBooks,
  platformKeys,
  Receiver,
  stores,
  thrownBy,
  unique,
  until,
  yuan,
} from '../network.fixture.js';

// Compiled: a simulator is a process of its own, and jest's transform does not reach into it.
const MAIN = join(process.cwd(), 'dist/connectors/wechat-pay/simulator/main.js');

let folder: string;
let receiver: Receiver;
const children: ChildProcess[] = [];
const wallets: WechatPayWalletClient[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wechat-pay-main-'));
  receiver = await Receiver.start();
});
afterEach(async () => {
  await Promise.all(wallets.splice(0).map((wallet) => wallet.close()));
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
});
afterAll(async () => {
  await receiver.stop();
  await rm(folder, { recursive: true });
});

const environment = (books: string) => ({
  PORT: '0',
  BOOKS_DIR: join(folder, books),
  WECHAT_PAY_MCHID: MCHID,
  WECHAT_PAY_MERCHANT_SERIAL: MERCHANT_SERIAL,
  WECHAT_PAY_MERCHANT_PUBLIC_KEY: merchantKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  WECHAT_PAY_API_V3_KEY: API_V3_KEY.toString(),
  WECHAT_PAY_PLATFORM_SERIAL: PLATFORM_SERIAL,
  WECHAT_PAY_PLATFORM_PRIVATE_KEY: platformKeys.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  WECHAT_PAY_STORES: JSON.stringify(stores),
  WECHAT_PAY_SLOW_MS: '400',
});

/** A simulator as a process, with the address that it prints and sends. */
async function start(books: string, [command, ...parameters]: [string, ...string[]] = [process.execPath, MAIN]) {
  const child = spawn(command, parameters, { env: environment(books), stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
  children.push(child);
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk);
  });
  const [message] = (await once(child, 'message')) as [{ url: string }];
  await until('the line', () => (printed.includes(`listening on ${message.url}\n`) ? true : null));
  const wallet = new WechatPayWalletClient(configurationFor(message.url));
  wallets.push(wallet);
  return { child, wallet, url: message.url };
}

const booksOf = async (url: string) => (await (await fetch(`${url}/books`)).json()) as PublishedBooks;

function request(codeValue: string) {
  return {
    paymentRequestId: unique('req_'),
    codeValue,
    amount: yuan('50.00'),
    referenceOrderId: unique('pay_us_'),
    customerId: 'trv_1',
    expiresAt: fromNow(60_000),
    notifyUrl: `${receiver.url}/n`,
  };
}

describe('the process', () => {
  it('keeps every payment that it answered for when it is killed in the middle of many', async () => {
    const first = await start('killed');
    const requests = Array.from({ length: 60 }, () => request('wxp://ok'));
    const answered = new Map<string, string | null>();
    const running = requests.map((each) =>
      first.wallet.pay(each).then(
        (payment) => answered.set(each.paymentRequestId, payment.transactionId),
        () => undefined,
      ),
    );
    await until('some answers', () => (answered.size >= 10 ? true : null));
    first.child.kill('SIGKILL');
    await Promise.all(running);
    const second = await start('killed');
    const { transactions } = await booksOf(second.url);
    for (const [paymentRequestId, transactionId] of answered) {
      expect(transactions.find((line) => line['paymentRequestId'] === paymentRequestId)?.id).toBe(transactionId);
    }
    // Whatever the kill left open, a repetition settles, and nothing is there twice.
    await Promise.all(requests.map((each) => second.wallet.pay(each)));
    const ids = (await booksOf(second.url)).transactions.map(({ paymentId }) => paymentId);
    expect([ids.length, new Set(ids).size]).toEqual([60, 60]);
  });

  it('answers nothing any more when the disk is full, and forgets nothing that it answered', async () => {
    // No file of this process may grow beyond 16 blocks of 512 bytes: what a full disk looks like to it.
    const first = await start('full', ['/bin/sh', '-c', 'ulimit -f 16; exec "$0" "$1"', process.execPath, MAIN]);
    const answered: WalletPayment[] = [];
    let failure: unknown = null;
    while (failure === null) {
      const payment = await first.wallet.pay(request('wxp://ok')).catch((thrown) => {
        failure = thrown;
        return null;
      });
      if (payment) answered.push(payment);
    }
    expect(failure).toBeInstanceOf(WechatPayUnknown);
    expect(answered.length).toBeGreaterThan(1);
    const [known] = answered;
    expect(
      await thrownBy(first.wallet.inquiryPayment({ paymentRequestId: known?.paymentRequestId ?? '' })),
    ).toBeInstanceOf(WechatPayUnknown);
    const exit = once(first.child, 'exit');
    first.child.kill('SIGTERM');
    await expect(exit).resolves.toEqual([1, null]);
    const second = await start('full');
    for (const payment of answered) await expect(second.wallet.inquiryPayment(payment)).resolves.toEqual(payment);
    expect((await booksOf(second.url)).transactions).toHaveLength(answered.length);
  });

  it('lets a payer finish typing after a kill', async () => {
    const first = await start('slow');
    const slow = request('wxp://slow');
    await expect(first.wallet.pay(slow)).resolves.toMatchObject({ status: 'PROCESSING' });
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const second = await start('slow');
    await until('the password', async () =>
      (await second.wallet.inquiryPayment(slow))?.status === 'SUCCESS' ? true : null,
    );
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends well on %s', async (signal) => {
    const { child } = await start(signal);
    child.kill(signal);
    await expect(once(child, 'exit')).resolves.toEqual([0, null]);
  });

  it('ends when its parent is gone, and the next one takes over the books', async () => {
    const { child, wallet } = await start('orphan');
    const paid = request('wxp://ok');
    await wallet.pay(paid);
    child.disconnect();
    const next = await start('orphan');
    await expect(next.wallet.inquiryPayment(paid)).resolves.toMatchObject({ status: 'SUCCESS' });
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });

  it('says what is wrong with its environment, not the values, and does not start', async () => {
    const env = { ...environment('wrong'), WECHAT_PAY_API_V3_KEY: 'short-secret', WECHAT_PAY_STORES: 'not json' };
    const child = spawn(process.execPath, [...PROGRAM_FLAGS, MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let complaint = '';
    child.stderr?.on('data', (chunk) => {
      complaint += String(chunk);
    });
    await expect(once(child, 'exit')).resolves.toEqual([1, null]);
    expect(complaint).toContain('WECHAT_PAY_API_V3_KEY');
    expect(complaint).toContain('WECHAT_PAY_STORES');
    expect(complaint).not.toContain('short-secret');
  });
});
