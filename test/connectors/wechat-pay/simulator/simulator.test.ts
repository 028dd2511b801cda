import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Simulator, startSimulator } from '../../../../connectors/wechat-pay/simulator/simulator.js';
import { WechatPayNotificationVerifier } from '../../../../connectors/wechat-pay/wechat-pay.notification.js';
import { DAY, HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import {
  configurationFor,
  merchantOf,
  settingsFor,
  TestNetwork,
  thrownBy,
  unique,
  until,
  yuan,
} from '../network.fixture.js';

let network: TestNetwork;
afterEach(() => network.stop());

describe('a notification', () => {
  beforeEach(async () => {
    network = await TestNetwork.start();
  });

  const bodies = () =>
    network.receiver.deliveries.map(({ body }) => JSON.parse(body.toString('utf8')) as { id: string });

  it('is sent until it is taken, each time signed and encrypted anew, with the same id', async () => {
    network.receiver.answers.push(500, 302, 400);
    await network.wallet.pay(network.payRequest('wxp://ok'));
    const deliveries = await network.receiver.until(4);
    expect(new Set(bodies().map(({ id }) => id)).size).toBe(1);
    expect(new Set(deliveries.map(({ headers }) => headers['wechatpay-nonce'])).size).toBe(4);
    const verifier = new WechatPayNotificationVerifier(configurationFor(network.url));
    for (const { headers, body } of deliveries) {
      await expect(verifier.verify(headers, body)).resolves.toMatchObject({
        eventType: 'PAYMENT.RESULT',
        status: 'SUCCESS',
      });
    }
    await until('the end', async () =>
      (await network.books()).notifications[0]?.status === 'DELIVERED' ? true : null,
    );
    expect((await network.books()).notifications[0]?.failures).toBe(3);
  });

  it('waits between attempts as the real one does, in proportion', async () => {
    network.receiver.answers.push(500, 500, 500);
    await network.wallet.pay(network.payRequest('wxp://ok'));
    const [first, second, third, fourth] = (await network.receiver.until(4)).map(({ at }) => at);
    const waits = [Number(second) - Number(first), Number(third) - Number(second), Number(fourth) - Number(third)];
    // 15 s, 15 s and 30 s at a five-hundredth; timers may be late, never early by more than a tick.
    expect(waits.map((wait, index) => wait >= (index === 2 ? 60 : 30) - 2)).toEqual([true, true, true]);
  });

  it('comes three times in the scenario duplicate-notifications, the refund’s too', async () => {
    const merchantId = merchantOf('duplicate-notifications');
    const payment = await network.wallet.pay(network.payRequest('wxp://duplicate-notifications'));
    await network.receiver.until(3);
    expect(new Set(bodies().map(({ id }) => id)).size).toBe(1);
    await network.client.refund({
      merchantId,
      transactionId: payment.transactionId ?? '',
      outRefundNo: unique('ref'),
      reason: 'x',
      refund: yuan('1.00'),
      total: yuan('50.00'),
      notifyUrl: network.notifyUrl,
    });
    await network.receiver.until(6);
    expect(
      new Set(
        bodies()
          .slice(3)
          .map(({ id }) => id),
      ).size,
    ).toBe(1);
  });

  it('that nobody took goes out again after a restart', async () => {
    network.receiver.answers.push(...Array.from({ length: 4 }, () => 500));
    await network.wallet.pay(network.payRequest('wxp://ok'));
    // The fifth attempt is minutes away in real time, 0.36 s here.
    await network.receiver.until(4);
    await network.restart();
    await network.receiver.until(5);
    await until('the end', async () =>
      (await network.books()).notifications[0]?.status === 'DELIVERED' ? true : null,
    );
    expect(new Set(bodies().map(({ id }) => id)).size).toBe(1);
  });

  it('is given up after sixteen attempts', async () => {
    await network.stop();
    network = await TestNetwork.start({ notificationTimeScale: 0.000_001 });
    network.receiver.answers.push(...Array.from({ length: 20 }, () => 500));
    await network.wallet.pay(network.payRequest('wxp://ok'));
    await until('giving up', async () =>
      (await network.books()).notifications[0]?.status === 'GIVEN_UP' ? true : null,
    );
    expect(network.receiver.deliveries).toHaveLength(16);
  });

  it('about a refusal says FAIL', async () => {
    await network.wallet.pay(network.payRequest('wxp://refused'));
    const [delivery] = await network.receiver.until(1);
    const verifier = new WechatPayNotificationVerifier(configurationFor(network.url));
    const facts = await verifier.verify(delivery?.headers ?? {}, delivery?.body ?? '');
    expect(facts).toMatchObject({ status: 'FAIL', resultCode: 'PAYMENT_REFUSED' });
  });
});

describe('the books', () => {
  beforeEach(async () => {
    network = await TestNetwork.start();
  });

  /** The same changes again and again change nothing, but fill the file. @returns its size before */
  async function growJournal(): Promise<{ path: string; size: number }> {
    const path = join(network.folder, 'wechat-pay.jsonl');
    const lines = await readFile(path, 'utf8');
    await appendFile(path, lines.repeat(Math.ceil((2 * 1024 * 1024) / lines.length)));
    return { path, size: Buffer.byteLength(lines) };
  }

  it.each([
    ['', async () => undefined],
    [', also when the journal was written anew', growJournal],
  ])('are the same after a restart: orders, payments, refunds, what may not be reused%s', async (_when, prepare) => {
    const [outTradeNo, merchantId, outRefundNo] = [unique('ord'), merchantOf('ok'), unique('ref')];
    const { codeUrl } = await network.order(outTradeNo);
    const request = network.payRequest(codeUrl);
    const payment = await network.wallet.pay(request);
    const order = {
      merchantId,
      transactionId: payment.transactionId ?? '',
      outRefundNo,
      reason: 'x',
      refund: yuan('20.00'),
    };
    await network.client.refund({ ...order, total: yuan('50.00'), notifyUrl: network.notifyUrl });
    await until('the refund', async () => ((await network.books()).refunds[0]?.status === 'SUCCESS' ? true : null));
    await network.receiver.until(3);
    await until('the notifications', async () =>
      (await network.books()).notifications.every(({ status }) => status === 'DELIVERED') ? true : null,
    );
    const before = await network.books();
    expect(before.transactions).toMatchObject([
      { id: payment.transactionId, paymentId: request.referenceOrderId, refundedAmount: '20.00' },
    ]);
    expect(before.refunds).toMatchObject([
      { paymentId: request.referenceOrderId, amount: '20.00', currency: 'CNY', status: 'SUCCESS' },
    ]);
    const journal = await prepare();
    await network.restart();
    if (journal) expect((await stat(journal.path)).size).toBeLessThanOrEqual(journal.size);
    await expect(network.books()).resolves.toEqual(before);
    await expect(network.wallet.pay(request)).resolves.toEqual(payment);
    expect(await thrownBy(network.wallet.pay(network.payRequest(codeUrl)))).toMatchObject({
      code: 'ORDER_ALREADY_PAID',
    });
    await expect(network.client.queryRefund(outRefundNo, merchantId)).resolves.toMatchObject({
      status: 'SUCCESS',
      amount: yuan('20.00'),
    });
  });

  it('let a payer finish typing who began before the restart, and a refund end', async () => {
    const merchantId = merchantOf('slow');
    const request = network.payRequest('wxp://slow');
    await network.wallet.pay(request);
    await network.restart();
    const paid = await until('the password', async () => {
      const payment = await network.wallet.inquiryPayment(request);
      return payment?.status === 'SUCCESS' ? payment : null;
    });
    const outRefundNo = unique('ref');
    const refund = {
      merchantId,
      transactionId: paid.transactionId ?? '',
      outRefundNo,
      reason: 'x',
      refund: yuan('1.00'),
      total: yuan('50.00'),
    };
    await network.client.refund({ ...refund, notifyUrl: network.notifyUrl });
    await network.restart();
    await until('the refund', async () =>
      (await network.client.queryRefund(outRefundNo, merchantId))?.status === 'SUCCESS' ? true : null,
    );
  });

  it('forget a line that a crash cut off, and nothing else', async () => {
    const request = network.payRequest('wxp://ok');
    const payment = await network.wallet.pay(request);
    await network.restart();
    await appendFile(join(network.folder, 'wechat-pay.jsonl'), '{"payments":[{"requestId":"half');
    await network.restart();
    await expect(network.wallet.inquiryPayment(request)).resolves.toEqual(payment);
    const later = network.payRequest('wxp://ok');
    await network.wallet.pay(later);
    await network.restart();
    await expect(network.wallet.inquiryPayment(later)).resolves.toMatchObject({ status: 'SUCCESS' });
  });

  it('are not guessed when a line in the middle is damaged', async () => {
    const folder = join(network.folder, 'damaged');
    const simulator = await startSimulator(settingsFor(folder));
    await simulator.stop();
    await writeFile(join(folder, 'wechat-pay.jsonl'), '{"orders":[\n{}\n');
    await expect(startSimulator(settingsFor(folder))).rejects.toThrow();
    // The folder is free again for whoever mends it.
    await expect(readdir(folder)).resolves.toEqual(['wechat-pay.jsonl']);
  });

  it('belong to one simulator at a time: the next one waits until the first has let go', async () => {
    const folder = join(network.folder, 'shared');
    const first = await startSimulator(settingsFor(folder));
    let second: Simulator | null = null;
    const waiting = startSimulator(settingsFor(folder)).then((simulator) => {
      second = simulator;
      return simulator;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(second).toBeNull();
    await first.stop();
    await (await waiting).stop();
  });

  it('are freed when the port is taken', async () => {
    const folder = join(network.folder, 'port');
    const port = Number(new URL(network.url).port);
    await expect(startSimulator(settingsFor(folder, { port }))).rejects.toThrow('EADDRINUSE');
    await (await startSimulator(settingsFor(folder))).stop();
  });
});

describe('time', () => {
  let clock = Date.now();
  beforeEach(async () => {
    clock = Date.now();
    network = await TestNetwork.start({ refundIntervalMs: MINUTE, refundMs: 0 }, () => new Date(clock));
  });

  it('ends the code of an order after two hours and the order after seven days', async () => {
    const [outTradeNo, merchantId] = [unique('ord'), merchantOf('ok')];
    const { codeUrl } = await network.order(outTradeNo, '50.00', merchantId, new Date(clock + DAY));
    clock += 2 * HOUR + 1;
    expect(await thrownBy(network.wallet.pay(network.payRequest(codeUrl)))).toMatchObject({ code: 'CODE_EXPIRED' });
    await expect(network.client.queryOrder(outTradeNo, merchantId)).resolves.toMatchObject({ state: 'NOTPAY' });
    clock += 7 * DAY;
    await expect(network.client.queryOrder(outTradeNo, merchantId)).resolves.toMatchObject({ state: 'CLOSED' });
  });

  it('separates two refunds of an order by a minute, and ends refunds after a year', async () => {
    const { transactionId } = await network.wallet.pay(network.payRequest('wxp://ok'));
    const refund = (outRefundNo: string) =>
      network.client.refund({
        merchantId: merchantOf('ok'),
        transactionId: transactionId ?? '',
        outRefundNo,
        reason: 'x',
        refund: yuan('1.00'),
        total: yuan('50.00'),
        notifyUrl: network.notifyUrl,
      });
    await expect(refund(unique('ref'))).resolves.toMatchObject({ status: 'SUCCESS' });
    expect(await thrownBy(refund(unique('ref')))).toMatchObject({ code: 'FREQUENCY_LIMITED', action: 'RETRY' });
    clock += MINUTE;
    await expect(refund(unique('ref'))).resolves.toMatchObject({ status: 'SUCCESS' });
    clock += 366 * DAY;
    expect(await thrownBy(refund(unique('ref')))).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
