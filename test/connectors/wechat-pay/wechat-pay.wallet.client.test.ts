import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEmvco, type EmvcoCode } from '../../../connectors/emvco/emvco.codec.js';
import { WechatPayUnknown } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { after, DAY, MINUTE, SECOND } from '../../../subgraphs/kernel/clock.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { fromNow, merchantOf, TestNetwork, thrownBy, unique, until, yuan } from './network.fixture.js';

let network: TestNetwork;
beforeAll(async () => {
  network = await TestNetwork.start();
});
afterAll(() => network.stop());

function emvco(change: Partial<EmvcoCode> = {}, merchantId = merchantOf('ok')): string {
  return buildEmvco({
    initiation: 'STATIC',
    primitiveAccounts: new Map(),
    accounts: new Map([
      ['26', new Map(Object.entries({ '00': 'com.tenpay.wechatpay', '01': merchantId, '02': 'cod_cn_1' }))],
    ]),
    categoryCode: '5812',
    currencyNumeric: '156',
    amount: null,
    countryCode: 'CN',
    merchantName: 'Teahouse',
    city: 'Chengdu',
    postalCode: null,
    additional: new Map(),
    localized: null,
    others: new Map(),
    ...change,
  });
}

const scan = (codeValue: string) => network.wallet.userInitiatedPay({ codeValue, customerId: 'trv_1' });
const inquire = (paymentRequestId: string) => network.wallet.inquiryPayment({ paymentRequestId });

describe('userInitiatedPay', () => {
  it('tells the store of a static code of the network; the payer types the amount', async () => {
    await expect(scan('wxp://ok')).resolves.toEqual({
      codeType: 'STORE_CODE',
      merchant: {
        merchantId: merchantOf('ok'),
        name: 'Teahouse ok',
        localName: '茶馆',
        categoryCode: '5812',
        city: 'Chengdu',
        countryCode: 'CN',
      },
      amount: null,
      reference: null,
      expiresAt: null,
      orderId: null,
    });
  });

  it('tells the store of an EMVCo code by the network’s own account template', async () => {
    await expect(scan(emvco())).resolves.toMatchObject({
      codeType: 'STORE_CODE',
      merchant: { merchantId: merchantOf('ok') },
      amount: null,
    });
    const fixed = emvco({ amount: '12.50', additional: new Map([['05', 'bill-9']]) });
    await expect(scan(fixed)).resolves.toMatchObject({
      codeType: 'STORE_CODE',
      amount: yuan('12.50'),
      reference: 'bill-9',
    });
  });

  it('tells amount, reference and expiry of an order', async () => {
    const [outTradeNo, expiresAt] = [unique('ord'), new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000)];
    const { codeUrl } = await network.order(outTradeNo, '50.00', merchantOf('ok'), expiresAt);
    await expect(scan(codeUrl)).resolves.toMatchObject({
      codeType: 'ORDER_CODE',
      amount: yuan('50.00'),
      reference: 'table 7',
      expiresAt,
      orderId: outTradeNo,
    });
  });

  it.each([
    ['a text that is no code', 'hello'],
    ['a code of the network that nobody has', 'wxp://nobody'],
    ['an order code that nobody has', 'weixin://wxpay/bizpayurl/up?pr=AAAAAAAAA&groupid=00'],
    ['an EMVCo code with a bad checksum', `${emvco().slice(0, -4)}0000`],
    ['an EMVCo code of another network', emvco({ accounts: new Map([['26', new Map([['00', 'com.alipay']])]]) })],
    ['an EMVCo code of a merchant that the network does not know', emvco({}, '1999999999')],
    ['an EMVCo code in another currency', emvco({ currencyNumeric: '840' })],
    ['an EMVCo code with fractions of a fen', emvco({ amount: '1.005' })],
  ])('refuses %s as CODE_INVALID', async (_what, code) => {
    expect(await thrownBy(scan(code))).toMatchObject({
      name: 'WechatPayRefusal',
      code: 'CODE_INVALID',
      action: 'FINAL',
    });
    expect(await thrownBy(network.wallet.pay(network.payRequest(code)))).toMatchObject({
      code: 'CODE_INVALID',
      action: 'FINAL',
    });
  });

  it('says why an order can no longer be paid', async () => {
    const [expired, paid] = [unique('ord'), unique('ord')];
    const { codeUrl: old } = await network.order(expired, '50.00', merchantOf('ok'), fromNow(1_500));
    const { codeUrl } = await network.order(paid);
    await network.wallet.pay(network.payRequest(codeUrl));
    expect(await thrownBy(scan(codeUrl))).toMatchObject({ code: 'ORDER_ALREADY_PAID', action: 'FINAL' });
    await until('the expiry', async () => {
      const outcome = await scan(old).catch((thrown) => thrown);
      return 'code' in outcome && outcome.code === 'CODE_EXPIRED' ? true : null;
    });
    expect(await thrownBy(network.wallet.pay(network.payRequest(old)))).toMatchObject({
      code: 'CODE_EXPIRED',
      action: 'FINAL',
    });
  });
});

describe('pay', () => {
  it('pays a store the amount that the payer typed', async () => {
    const request = network.payRequest('wxp://ok', { amount: yuan('18.88') });
    const payment = await network.wallet.pay(request);
    expect(payment).toMatchObject({
      paymentRequestId: request.paymentRequestId,
      status: 'SUCCESS',
      amount: yuan('18.88'),
      resultCode: null,
    });
    expect(payment.transactionId).toMatch(/^\d{28}$/);
    expect(payment.paidAt).toBeInstanceOf(Date);
    const { transactions } = await network.books();
    expect(transactions.find(({ paymentId }) => paymentId === request.referenceOrderId)).toMatchObject({
      id: payment.transactionId,
      amount: '18.88',
      currency: 'CNY',
      status: 'SUCCESS',
    });
  });

  it('pays once however often it is sent, at once or one after the other', async () => {
    const request = network.payRequest('wxp://ok');
    const payments = await Promise.all(Array.from({ length: 5 }, () => network.wallet.pay(request)));
    payments.push(await network.wallet.pay(request));
    expect(new Set(payments.map(({ transactionId }) => transactionId)).size).toBe(1);
    const { transactions } = await network.books();
    expect(transactions.filter(({ paymentId }) => paymentId === request.referenceOrderId)).toHaveLength(1);
  });

  it('is the same payment when only the time limit and the address for notifications changed', async () => {
    const request = network.payRequest('wxp://ok');
    const first = await network.wallet.pay(request);
    const second = { ...request, expiresAt: fromNow(90_000), notifyUrl: 'https://elsewhere.test/n' };
    await expect(network.wallet.pay(second)).resolves.toEqual(first);
  });

  it.each([
    ['amount', { amount: yuan('50.01') }],
    ['code', { codeValue: 'wxp://refused' }],
    ['payment of ours', { referenceOrderId: 'pay_us_other' }],
    ['payer', { customerId: 'trv_2' }],
  ])('refuses the same request id with another %s', async (_what, change) => {
    const request = network.payRequest('wxp://ok');
    await network.wallet.pay(request);
    const refusal = await thrownBy(network.wallet.pay({ ...request, ...change }));
    expect(refusal).toMatchObject({ code: 'PAYMENT_REQUEST_ID_USED', action: 'OUR_BUG' });
  });

  it('pays an order with exactly its amount', async () => {
    const { codeUrl } = await network.order(unique('ord'));
    const refusal = await thrownBy(network.wallet.pay(network.payRequest(codeUrl, { amount: yuan('49.99') })));
    expect(refusal).toMatchObject({ code: 'AMOUNT_MISMATCH', action: 'FINAL' });
    await expect(network.wallet.pay(network.payRequest(codeUrl))).resolves.toMatchObject({ status: 'SUCCESS' });
    expect(await thrownBy(network.wallet.pay(network.payRequest(emvco({ amount: '12.50' }))))).toMatchObject({
      code: 'AMOUNT_MISMATCH',
    });
  });

  it('lets only one of two simultaneous payers pay an order', async () => {
    const { codeUrl } = await network.order(unique('ord'));
    const payers = [network.payRequest(codeUrl), network.payRequest(codeUrl)];
    const outcomes = await Promise.allSettled(payers.map((payer) => network.wallet.pay(payer)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ORDER_ALREADY_PAID', action: 'FINAL' },
    });
  });

  it('is refused in another currency and after its own time limit', async () => {
    const dollars = network.payRequest('wxp://ok', { amount: Money.parse('1.00', 'USD') });
    expect(await thrownBy(network.wallet.pay(dollars))).toMatchObject({ code: 'PARAM_ERROR', action: 'OUR_BUG' });
    const late = network.payRequest('wxp://ok', { expiresAt: fromNow(-1_000) });
    expect(await thrownBy(network.wallet.pay(late))).toMatchObject({ code: 'PAYMENT_EXPIRED', action: 'FINAL' });
    await expect(inquire(late.paymentRequestId)).resolves.toBeNull();
  });

  it('FAILs where the network refuses, and leaves the order to another payer', async () => {
    const request = network.payRequest('wxp://refused');
    const payment = await network.wallet.pay(request);
    expect(payment).toMatchObject({ status: 'FAIL', resultCode: 'PAYMENT_REFUSED', transactionId: null, paidAt: null });
    await expect(network.wallet.pay(request)).resolves.toEqual(payment);
    const { codeUrl } = await network.order(unique('ord'), '50.00', merchantOf('refused'));
    await network.wallet.pay(network.payRequest(codeUrl));
    await expect(network.wallet.pay(network.payRequest(codeUrl))).resolves.toMatchObject({ status: 'FAIL' });
  });

  it('is unknown when the answer is lost, although it happened; a repetition finds it', async () => {
    const request = network.payRequest('wxp://lost-reply');
    expect(await thrownBy(network.wallet.pay(request))).toBeInstanceOf(WechatPayUnknown);
    const found = await inquire(request.paymentRequestId);
    expect(found).toMatchObject({ status: 'SUCCESS', amount: yuan('50.00') });
    await expect(network.wallet.pay(request)).resolves.toEqual(found);
  });

  it('is PROCESSING while the payer types a password, then SUCCESS', async () => {
    const { codeUrl } = await network.order(unique('ord'), '50.00', merchantOf('slow'));
    const request = network.payRequest(codeUrl);
    const payment = await network.wallet.pay(request);
    expect(payment).toMatchObject({ status: 'PROCESSING', transactionId: null, paidAt: null });
    expect(await thrownBy(network.wallet.pay(network.payRequest(codeUrl)))).toMatchObject({
      code: 'ORDER_BEING_PAID',
      action: 'FINAL',
    });
    const paid = await until('the password', async () => {
      const now = await inquire(request.paymentRequestId);
      return now?.status === 'SUCCESS' ? now : null;
    });
    expect(paid.transactionId).toMatch(/^\d+$/);
  });

  it('is made by the time at which it is asked for, however little of it was waited for', async () => {
    let now = new Date('2026-11-26T08:00:00Z');
    const later = await TestNetwork.start({ slowMs: MINUTE }, () => now);
    const pay = async (patienceMs: number) => {
      const request = later.payRequest('wxp://slow', { expiresAt: after(now, patienceMs) });
      await later.wallet.pay(request);
      return request;
    };
    try {
      const [typed, late] = [await pay(61 * SECOND), await pay(59 * SECOND)];
      const due = after(now, MINUTE);
      now = after(now, DAY);
      await expect(later.wallet.cancelPayment(typed)).resolves.toMatchObject({ status: 'SUCCESS', paidAt: due });
      await expect(later.wallet.inquiryPayment(late)).resolves.toMatchObject({ resultCode: 'PAYMENT_EXPIRED' });
    } finally {
      await later.stop();
    }
  });

  it('FAILs when the payer types longer than the payment may live', async () => {
    const patient = await TestNetwork.start({ slowMs: 1_200 });
    try {
      const request = patient.payRequest('wxp://slow', { expiresAt: fromNow(1_100) });
      await expect(patient.wallet.pay(request)).resolves.toMatchObject({ status: 'PROCESSING' });
      const end = await until('the end', async () => {
        const now = await patient.wallet.inquiryPayment({ paymentRequestId: request.paymentRequestId });
        return now?.status === 'PROCESSING' ? null : now;
      });
      expect(end).toMatchObject({ status: 'FAIL', resultCode: 'PAYMENT_EXPIRED' });
    } finally {
      await patient.stop();
    }
  });
});

describe('inquiryPayment', () => {
  it('gives null for a payment they do not know', async () => {
    await expect(inquire(unique('req_'))).resolves.toBeNull();
  });
});

describe('cancelPayment', () => {
  it('ends a payment whose payer is still typing; the order is free again', async () => {
    const { codeUrl } = await network.order(unique('ord'), '50.00', merchantOf('slow'));
    const request = network.payRequest(codeUrl);
    await network.wallet.pay(request);
    await expect(network.wallet.cancelPayment(request)).resolves.toMatchObject({
      status: 'CANCELLED',
      transactionId: null,
    });
    await expect(network.wallet.pay(network.payRequest(codeUrl))).resolves.toMatchObject({ status: 'PROCESSING' });
    // Longer than the password takes: a cancelled payment stays so.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(inquire(request.paymentRequestId)).resolves.toMatchObject({ status: 'CANCELLED' });
  });

  it('comes too late for a paid payment and says so', async () => {
    const request = network.payRequest('wxp://ok');
    const payment = await network.wallet.pay(request);
    await expect(network.wallet.cancelPayment(request)).resolves.toEqual(payment);
  });

  it('is remembered for a payment that never arrived: when it does arrive, it is not done', async () => {
    const request = network.payRequest('wxp://ok');
    await expect(network.wallet.cancelPayment(request)).resolves.toMatchObject({
      status: 'CANCELLED',
      paymentId: null,
    });
    await network.restart();
    await expect(network.wallet.pay(request)).resolves.toMatchObject({ status: 'CANCELLED', transactionId: null });
    const { transactions } = await network.books();
    expect(transactions.some(({ paymentId }) => paymentId === request.referenceOrderId)).toBe(false);
  });
});
