import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WechatPayRefusal } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { InvariantViolation } from '../../../subgraphs/kernel/error.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromNow, merchantOf, TestNetwork, thrownBy, unique, until, yuan } from './network.fixture.js';

const MERCHANT = merchantOf('ok');

let network: TestNetwork;
beforeAll(async () => {
  network = await TestNetwork.start();
});
afterAll(() => network.stop());

async function paidTransaction(merchantId = MERCHANT, amount = '50.00') {
  const outTradeNo = unique('ord');
  const { codeUrl } = await network.order(outTradeNo, amount, merchantId);
  const payment = await network.wallet.pay(network.payRequest(codeUrl, { amount: yuan(amount) }));
  return { outTradeNo, transactionId: payment.transactionId ?? '' };
}

function refundOf(
  transactionId: string,
  amount: string,
  change: Partial<Parameters<TestNetwork['client']['refund']>[0]> = {},
) {
  return {
    merchantId: MERCHANT,
    transactionId,
    outRefundNo: unique('ref'),
    reason: '茶凉了',
    refund: yuan(amount),
    total: yuan('50.00'),
    notifyUrl: network.notifyUrl,
    ...change,
  };
}

describe('createNativeOrder', () => {
  it('gives a code of the network for a new order', async () => {
    const { codeUrl } = await network.order(unique('ord'));
    expect(codeUrl).toMatch(/^weixin:\/\/wxpay\/bizpayurl\/up\?pr=\w+&groupid=00$/);
  });

  it('gives the same code again for the same number with the same content', async () => {
    const [outTradeNo, expiresAt] = [unique('ord'), fromNow(60_000)];
    const first = await network.order(outTradeNo, '50.00', MERCHANT, expiresAt);
    await expect(network.order(outTradeNo, '50.00', MERCHANT, expiresAt)).resolves.toEqual(first);
  });

  it('is refused as our bug when the same number comes with other content', async () => {
    const [outTradeNo, expiresAt] = [unique('ord'), fromNow(60_000)];
    await network.order(outTradeNo, '50.00', MERCHANT, expiresAt);
    const refusal = await thrownBy(network.order(outTradeNo, '50.01', MERCHANT, expiresAt));
    expect(refusal).toMatchObject({ name: 'WechatPayRefusal', code: 'OUT_TRADE_NO_USED', action: 'OUR_BUG' });
    expect((refusal as WechatPayRefusal).debugId).toMatch(/-268498688$/);
  });

  it('lets two merchants use the same number', async () => {
    const outTradeNo = unique('ord');
    const codes = [await network.order(outTradeNo), await network.order(outTradeNo, '50.00', merchantOf('slow'))];
    expect(codes[0]).not.toEqual(codes[1]);
  });

  it('is refused once the order is paid or closed', async () => {
    const [paid, closed, expiresAt] = [unique('ord'), unique('ord'), fromNow(60_000)];
    const { codeUrl } = await network.order(paid, '50.00', MERCHANT, expiresAt);
    await network.wallet.pay(network.payRequest(codeUrl));
    await network.order(closed, '50.00', MERCHANT, expiresAt);
    await network.client.closeOrder(closed, MERCHANT);
    expect(await thrownBy(network.order(paid, '50.00', MERCHANT, expiresAt))).toMatchObject({
      code: 'ORDERPAID',
      action: 'ALREADY_DONE',
    });
    expect(await thrownBy(network.order(closed, '50.00', MERCHANT, expiresAt))).toMatchObject({
      code: 'ORDER_CLOSED',
      action: 'FINAL',
    });
  });

  it.each([
    ['a merchant that the network does not know', { merchantId: '1999999999' }, 'NO_AUTH'],
    ['a number that is too long', { outTradeNo: 'x'.repeat(33) }, 'PARAM_ERROR'],
    ['a notification address with a query', { notifyUrl: 'https://example.test/n?x=1' }, 'PARAM_ERROR'],
    ['an expiry in the past', { expiresAt: fromNow(-60_000) }, 'PARAM_ERROR'],
    ['an attachment of more than 128 bytes', { attach: '茶'.repeat(43) }, 'PARAM_ERROR'],
  ])('is refused as our bug for %s', async (_what, change, code) => {
    const order = {
      outTradeNo: unique('ord'),
      merchantId: MERCHANT,
      description: 'tea',
      amount: yuan('1.00'),
      expiresAt: fromNow(60_000),
      notifyUrl: network.notifyUrl,
      attach: '',
    };
    expect(await thrownBy(network.client.createNativeOrder({ ...order, ...change }))).toMatchObject({
      code,
      action: 'OUR_BUG',
    });
  });

  it('never sends an amount of zero, nor one that JSON cannot hold exactly', async () => {
    await expect(network.order(unique('ord'), '0.00')).rejects.toThrow(InvariantViolation);
    const huge = Money.of(2n ** 53n, 'CNY');
    await expect(network.wallet.pay(network.payRequest('wxp://ok', { amount: huge }))).rejects.toThrow(
      InvariantViolation,
    );
  });

  it('cuts a long description rather than lose the order', async () => {
    const order = {
      outTradeNo: unique('ord'),
      merchantId: MERCHANT,
      description: '🍵'.repeat(200),
      amount: yuan('1.00'),
    };
    const rest = { expiresAt: fromNow(60_000), notifyUrl: network.notifyUrl, attach: '' };
    await expect(network.client.createNativeOrder({ ...order, ...rest })).resolves.toBeDefined();
  });
});

describe('queryOrder', () => {
  it('tells an unpaid order from a paid one', async () => {
    const outTradeNo = unique('ord');
    const { codeUrl } = await network.order(outTradeNo);
    await expect(network.client.queryOrder(outTradeNo, MERCHANT)).resolves.toEqual({
      outTradeNo,
      transactionId: null,
      state: 'NOTPAY',
      amount: yuan('50.00'),
      paidAt: null,
    });
    const payment = await network.wallet.pay(network.payRequest(codeUrl));
    const order = await network.client.queryOrder(outTradeNo, MERCHANT);
    expect(order).toMatchObject({ state: 'SUCCESS', transactionId: payment.transactionId, amount: yuan('50.00') });
    expect(order?.paidAt).toEqual(payment.paidAt);
  });

  it('gives null for an order they do not know, also when it is another merchant’s', async () => {
    const outTradeNo = unique('ord');
    await network.order(outTradeNo);
    await expect(network.client.queryOrder(unique('ord'), MERCHANT)).resolves.toBeNull();
    await expect(network.client.queryOrder(outTradeNo, merchantOf('slow'))).resolves.toBeNull();
  });

  it('needs the merchant: a number that is not digits never leaves', async () => {
    await expect(network.client.queryOrder('order1', 'mer_cn_1')).rejects.toThrow(InvariantViolation);
  });

  it('shows REFUND once a refund was asked for', async () => {
    const { outTradeNo, transactionId } = await paidTransaction();
    await network.client.refund(refundOf(transactionId, '1.00'));
    await expect(network.client.queryOrder(outTradeNo, MERCHANT)).resolves.toMatchObject({
      state: 'REFUND',
      transactionId,
    });
  });
});

describe('closeOrder', () => {
  it('ends an unpaid order, and does so again without complaint', async () => {
    const outTradeNo = unique('ord');
    const { codeUrl } = await network.order(outTradeNo);
    await network.client.closeOrder(outTradeNo, MERCHANT);
    await network.client.closeOrder(outTradeNo, MERCHANT);
    await expect(network.client.queryOrder(outTradeNo, MERCHANT)).resolves.toMatchObject({ state: 'CLOSED' });
    expect(await thrownBy(network.wallet.pay(network.payRequest(codeUrl)))).toMatchObject({
      code: 'ORDER_CLOSED',
      action: 'FINAL',
    });
  });

  it('says ORDERPAID when it came too late', async () => {
    const { outTradeNo } = await paidTransaction();
    expect(await thrownBy(network.client.closeOrder(outTradeNo, MERCHANT))).toMatchObject({
      code: 'ORDERPAID',
      action: 'ALREADY_DONE',
    });
  });

  it('asks for patience while a payer types a password', async () => {
    const merchantId = merchantOf('slow');
    const outTradeNo = unique('ord');
    const { codeUrl } = await network.order(outTradeNo, '50.00', merchantId);
    await network.wallet.pay(network.payRequest(codeUrl));
    expect(await thrownBy(network.client.closeOrder(outTradeNo, merchantId))).toMatchObject({
      code: 'FREQUENCY_LIMITED',
      action: 'RETRY',
    });
  });

  it('is refused for an order they do not know', async () => {
    expect(await thrownBy(network.client.closeOrder(unique('ord'), MERCHANT))).toMatchObject({
      code: 'ORDER_NOT_EXIST',
      action: 'FINAL',
    });
  });
});

describe('refund', () => {
  it('goes from PROCESSING to SUCCESS', async () => {
    const { transactionId } = await paidTransaction();
    const order = refundOf(transactionId, '20.00');
    const refund = await network.client.refund(order);
    expect(refund).toMatchObject({ outRefundNo: order.outRefundNo, status: 'PROCESSING', amount: yuan('20.00') });
    await until('the refund', async () =>
      (await network.client.queryRefund(order.outRefundNo, MERCHANT))?.status === 'SUCCESS' ? true : null,
    );
  });

  it('happens once however often it is asked for with the same number', async () => {
    const { transactionId } = await paidTransaction();
    const order = refundOf(transactionId, '20.00');
    const refunds = await Promise.all([
      network.client.refund(order),
      network.client.refund(order),
      network.client.refund(order),
    ]);
    expect(new Set(refunds.map(({ refundId }) => refundId)).size).toBe(1);
    const { refunds: lines } = await network.books();
    expect(lines.filter(({ outRefundNo }) => outRefundNo === order.outRefundNo)).toHaveLength(1);
  });

  it('is refused when the same number comes with another amount', async () => {
    const { transactionId } = await paidTransaction();
    const order = refundOf(transactionId, '20.00');
    await network.client.refund(order);
    const refusal = await thrownBy(network.client.refund({ ...order, refund: yuan('20.01') }));
    expect(refusal).toMatchObject({ code: 'INVALID_REQUEST', action: 'OUR_BUG' });
  });

  it('never gives back more than was paid, however the parts race', async () => {
    const { transactionId } = await paidTransaction();
    const parts = await Promise.allSettled(
      Array.from({ length: 4 }, () => network.client.refund(refundOf(transactionId, '20.00'))),
    );
    expect(parts.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    await expect(network.client.refund(refundOf(transactionId, '10.00'))).resolves.toBeDefined();
    expect(await thrownBy(network.client.refund(refundOf(transactionId, '0.01')))).toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  it('is refused from the fifty-first part on', async () => {
    const { transactionId } = await paidTransaction();
    for (let part = 0; part < 50; part += 1) await network.client.refund(refundOf(transactionId, '0.01'));
    expect(await thrownBy(network.client.refund(refundOf(transactionId, '0.01')))).toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  it.each([
    ['a transaction they do not know', { transactionId: '4200000000' }, 'RESOURCE_NOT_EXISTS', 'FINAL'],
    ['another merchant’s transaction', { merchantId: merchantOf('slow') }, 'RESOURCE_NOT_EXISTS', 'FINAL'],
    ['another total', { total: yuan('60.00') }, 'INVALID_REQUEST', 'OUR_BUG'],
    ['another currency', { refund: Money.parse('1.00', 'USD') }, 'PARAM_ERROR', 'OUR_BUG'],
  ])('is refused for %s', async (_what, change, code, action) => {
    const { transactionId } = await paidTransaction();
    expect(await thrownBy(network.client.refund(refundOf(transactionId, '1.00', change)))).toMatchObject({
      code,
      action,
    });
  });

  it('is to be retried with the same number while their pool is empty', async () => {
    const merchantId = merchantOf('refund-not-enough-once');
    const { transactionId } = await paidTransaction(merchantId);
    const order = refundOf(transactionId, '50.00', { merchantId });
    expect(await thrownBy(network.client.refund(order))).toMatchObject({ code: 'NOT_ENOUGH', action: 'RETRY' });
    await expect(network.client.refund(order)).resolves.toMatchObject({ status: 'PROCESSING' });
  });

  it('can end ABNORMAL', async () => {
    const merchantId = merchantOf('refund-abnormal');
    const { transactionId } = await paidTransaction(merchantId);
    const order = refundOf(transactionId, '50.00', { merchantId });
    await network.client.refund(order);
    await until('the end', async () =>
      (await network.client.queryRefund(order.outRefundNo, merchantId))?.status === 'ABNORMAL' ? true : null,
    );
  });

  it('cuts a long reason at 80 bytes, between characters', async () => {
    const { transactionId } = await paidTransaction();
    const order = refundOf(transactionId, '1.00', { reason: '凉'.repeat(60) });
    await expect(network.client.refund(order)).resolves.toMatchObject({ amount: yuan('1.00') });
  });
});

describe('queryRefund', () => {
  it('gives null for a refund they do not know, also when it is another merchant’s', async () => {
    const { transactionId } = await paidTransaction();
    const order = refundOf(transactionId, '1.00');
    await network.client.refund(order);
    await expect(network.client.queryRefund(unique('ref'), MERCHANT)).resolves.toBeNull();
    await expect(network.client.queryRefund(order.outRefundNo, merchantOf('slow'))).resolves.toBeNull();
  });
});
