import { createVerify } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WechatPayClient } from '../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayUnknown } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import { WechatPayWalletClient } from '../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import {
  configurationFor,
  fromNow,
  MCHID,
  MERCHANT_SERIAL,
  merchantKeys,
  merchantOf,
  PLATFORM_SERIAL,
  platformKeys,
  Rogue,
  reply,
  strangerKeys,
  thrownBy,
  yuan,
} from './network.fixture.js';

const MERCHANT = merchantOf('ok');
const ORDER = {
  sub_mchid: MERCHANT,
  out_trade_no: 'order-1',
  transaction_id: '42001',
  trade_state: 'SUCCESS',
  success_time: '2026-11-22T18:00:00+08:00',
  amount: { total: 5000, currency: 'CNY' },
};
const PAYMENT = {
  payment_request_id: 'req-1',
  payment_id: '98001',
  payment_status: 'SUCCESS',
  transaction_id: '42001',
  sub_mchid: MERCHANT,
  amount: { total: 5000, currency: 'CNY' },
};

let rogue: Rogue;
let client: WechatPayClient;
let wallet: WechatPayWalletClient;
beforeAll(async () => {
  rogue = await Rogue.start();
  const platformKey = { serial: PLATFORM_SERIAL, key: platformKeys.publicKey };
  const configuration = configurationFor(rogue.url, { platformKey, deadlineMs: 250 });
  client = new WechatPayClient(configuration);
  wallet = new WechatPayWalletClient(configuration);
});
beforeEach(() => {
  rogue.requests.length = 0;
});
afterAll(async () => {
  await Promise.all([client.close(), wallet.close()]);
  await rogue.stop();
});

const query = () => client.queryOrder('order-1', MERCHANT);
const pay = () =>
  wallet.pay({
    paymentRequestId: 'req-1',
    codeValue: 'wxp://ok',
    amount: yuan('50.00'),
    referenceOrderId: 'pay_us_1',
    customerId: 'trv_1',
    expiresAt: fromNow(60_000),
    notifyUrl: 'https://sojourn.test/notifications/wechat-pay',
  });

describe('a request', () => {
  it('carries a signature over method, path with query, time, nonce and the very body that is sent', async () => {
    rogue.answers(200, PAYMENT);
    await pay();
    rogue.answers(200, ORDER);
    await query();
    for (const { method, target, body, headers } of rogue.requests) {
      const authorization = headers.authorization ?? '';
      expect(authorization.startsWith('WECHATPAY2-SHA256-RSA2048 ')).toBe(true);
      const fields = Object.fromEntries(
        Array.from(authorization.matchAll(/(\w+)="([^"]*)"/g), ([, name, value]) => [name, value]),
      );
      expect(fields).toMatchObject({
        mchid: MCHID,
        serial_no: MERCHANT_SERIAL,
        nonce_str: expect.stringMatching(/^[0-9A-Za-z]{32}$/),
      });
      const message = `${method}\n${target}\n${fields['timestamp']}\n${fields['nonce_str']}\n${body}\n`;
      const isSigned = createVerify('RSA-SHA256')
        .update(message)
        .verify(merchantKeys.publicKey, String(fields['signature']), 'base64');
      expect(isSigned).toBe(true);
      expect(headers.accept).toBe('application/json');
    }
    expect(rogue.requests[1]?.target).toBe(
      `/v3/pay/partner/transactions/out-trade-no/order-1?sp_mchid=${MCHID}&sub_mchid=${MERCHANT}`,
    );
  });

  it('escapes what would leave its place in the path', async () => {
    rogue.answers(404, { code: 'ORDER_NOT_EXIST', message: 'x' });
    await client.queryOrder('a/../b?c', MERCHANT);
    expect(rogue.requests[0]?.target).toContain('/out-trade-no/a%2F..%2Fb%3Fc?');
  });

  it('is never sent twice by itself', async () => {
    rogue.answer = (_request, response) => response.socket?.destroy();
    await thrownBy(pay());
    expect(rogue.requests).toHaveLength(1);
  });
});

describe('an answer', () => {
  it('is taken when the platform signed it', async () => {
    rogue.answers(200, ORDER);
    await expect(query()).resolves.toMatchObject({
      state: 'SUCCESS',
      amount: yuan('50.00'),
      paidAt: new Date('2026-11-22T10:00:00Z'),
    });
  });

  it.each([
    ['without a signature', { drop: 'Wechatpay-Signature' }],
    ['without a serial', { drop: 'Wechatpay-Serial' }],
    ['signed by someone else', { key: strangerKeys.privateKey }],
    ['with a serial that is not the platform’s', { serial: 'ABCDEF' }],
    ['signed six minutes ago', { at: fromNow(-360_000) }],
    ['signed six minutes ahead', { at: fromNow(360_000) }],
  ])('%s is unknown, whether it says yes or no', async (_what, signing) => {
    rogue.answers(200, PAYMENT, signing);
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
    rogue.answers(400, { code: 'AMOUNT_MISMATCH', message: 'no' }, signing);
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('whose body was changed on its way is unknown', async () => {
    rogue.answer = (_request, response) => {
      const end = response.end.bind(response);
      response.end = () => end(JSON.stringify({ ...PAYMENT, payment_status: 'FAIL' }));
      reply(response, 200, PAYMENT);
    };
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it.each([
    ['text that is not JSON', 'not json'],
    ['nothing', ''],
    ['a list', []],
    ['a state that does not exist', { ...PAYMENT, payment_status: 'MAYBE' }],
    ['an amount with a fraction', { ...PAYMENT, amount: { total: 50.5, currency: 'CNY' } }],
    ['an amount that JSON cannot hold exactly', { ...PAYMENT, amount: { total: 2 ** 53, currency: 'CNY' } }],
    ['an amount as text', { ...PAYMENT, amount: { total: '5000', currency: 'CNY' } }],
    ['a negative amount', { ...PAYMENT, amount: { total: -1, currency: 'CNY' } }],
    ['a currency that is none', { ...PAYMENT, amount: { total: 5000, currency: 'XYZ' } }],
    ['a currency without fen', { ...PAYMENT, amount: { total: 5000, currency: 'JPY' } }],
    ['a success without a transaction', { ...PAYMENT, transaction_id: undefined }],
    ['a success without a merchant', { ...PAYMENT, sub_mchid: undefined }],
    ['another payment', { ...PAYMENT, payment_request_id: 'req-2' }],
  ])('with %s is unknown although it is signed', async (_what, body) => {
    rogue.answers(200, body);
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('about another order, another merchant’s order or another refund is unknown', async () => {
    rogue.answers(200, { ...ORDER, out_trade_no: 'order-2' });
    expect(await thrownBy(query())).toBeInstanceOf(WechatPayUnknown);
    rogue.answers(200, { ...ORDER, sub_mchid: '1' });
    expect(await thrownBy(query())).toBeInstanceOf(WechatPayUnknown);
    rogue.answers(200, {
      refund_id: '1',
      out_refund_no: 'ref-2',
      status: 'SUCCESS',
      amount: { refund: 1, currency: 'CNY' },
    });
    expect(await thrownBy(client.queryRefund('ref-1', MERCHANT))).toBeInstanceOf(WechatPayUnknown);
  });

  it.each([500, 502, 503, 202, 302])('with status %d decides nothing, signed or not', async (status) => {
    rogue.answers(status, { code: 'AMOUNT_MISMATCH', message: 'no' });
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('that never comes is unknown at the deadline', async () => {
    rogue.answer = () => undefined;
    const began = Date.now();
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it('that stops in the middle is unknown at the deadline', async () => {
    rogue.answer = (_request, response) => {
      response.writeHead(200, { 'Content-Length': 1_000 }).write('{');
    };
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('that does not end is unknown long before memory is', async () => {
    rogue.answer = (_request, response) => {
      response.writeHead(200);
      response.write(Buffer.alloc(2_000_000));
    };
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('is unknown where nobody listens', async () => {
    const nobody = new WechatPayWalletClient(configurationFor('http://127.0.0.1:1'));
    expect(await thrownBy(nobody.inquiryPayment({ paymentRequestId: 'req-1' }))).toBeInstanceOf(WechatPayUnknown);
    await nobody.close();
  });
});

describe('a refusal', () => {
  it.each([
    ['ORDER_PAID', 'ORDERPAID', 'ALREADY_DONE'],
    ['ORDERPAID', 'ORDERPAID', 'ALREADY_DONE'],
    ['FREQUENCY_LIMITED', 'FREQUENCY_LIMITED', 'RETRY'],
    ['RATELIMIT_EXCEEDED', 'RATE_LIMITED', 'RETRY'],
    ['NOT_ENOUGH', 'NOT_ENOUGH', 'RETRY'],
    ['USERPAYING', 'USERPAYING', 'PAYER_MUST_ACT'],
    ['AUTH_CODE_INVALID', 'AUTH_CODE_INVALID', 'PAYER_MUST_ACT'],
    ['ORDER_CLOSED', 'ORDER_CLOSED', 'FINAL'],
    ['SIGN_ERROR', 'SIGN_ERROR', 'OUR_BUG'],
    ['SOMETHING_NEW', 'SOMETHING_NEW', 'OUR_BUG'],
  ])('with code %s is %s: %s', async (sent, code, action) => {
    rogue.answers(400, { code: sent, message: 'no' });
    expect(await thrownBy(pay())).toMatchObject({ name: 'WechatPayRefusal', code, action, debugId: '08A1-268435461' });
  });

  it.each([
    ['SYSTEM_ERROR', { code: 'SYSTEM_ERROR', message: 'x' }],
    ['no code', { message: 'x' }],
    ['no body', ''],
  ])('with %s leaves the outcome open', async (_what, body) => {
    rogue.answers(400, body);
    expect(await thrownBy(pay())).toBeInstanceOf(WechatPayUnknown);
  });

  it('never quotes what they wrote: messages end in logs', async () => {
    rogue.answers(400, { code: 'PARAM_ERROR', message: 'the payer 张三 is …' });
    expect(String(await thrownBy(pay()))).not.toContain('张三');
    rogue.answers(200, '张三');
    const unknown = await thrownBy(pay());
    expect(`${unknown} ${(unknown as Error).cause}`).not.toContain('张三');
  });
});
