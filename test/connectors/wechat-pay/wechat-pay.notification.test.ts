import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seal } from '../../../connectors/wechat-pay/wechat-pay.cipher.js';
import {
  WechatPayNotificationRefused,
  WechatPayNotificationVerifier,
} from '../../../connectors/wechat-pay/wechat-pay.notification.js';
import { platformHeaders } from '../../../connectors/wechat-pay/wechat-pay.signature.js';
import {
  API_V3_KEY,
  configurationFor,
  fromNow,
  MCHID,
  merchantOf,
  PLATFORM_SERIAL,
  platformKeys,
  strangerKeys,
  TestNetwork,
  unique,
  yuan,
} from './network.fixture.js';

const platformKey = { serial: PLATFORM_SERIAL, key: platformKeys.publicKey };
const verifier = new WechatPayNotificationVerifier(configurationFor('http://127.0.0.1:1', { platformKey }));

const TRANSACTION = {
  sp_mchid: MCHID,
  sub_mchid: '1600000000',
  out_trade_no: 'order-1',
  transaction_id: '42001',
  trade_state: 'SUCCESS',
  amount: { total: 5000, payer_total: 5000, currency: 'CNY' },
};
const REFUND = {
  sp_mchid: MCHID,
  sub_mchid: '1600000000',
  out_trade_no: 'order-1',
  transaction_id: '42001',
  out_refund_no: 'ref-1',
  refund_id: '50301',
  refund_status: 'SUCCESS',
  amount: { total: 5000, refund: 1200, payer_total: 5000, payer_refund: 1200 },
};
const PAYMENT = {
  mchid: MCHID,
  payment_request_id: 'req-1',
  payment_status: 'FAIL',
  result_code: 'NO',
  amount: { total: 5000 },
};

interface Making {
  readonly eventType?: string;
  readonly resource?: unknown;
  readonly envelope?: object;
  readonly apiV3Key?: Uint8Array;
  readonly key?: typeof platformKeys.privateKey;
  readonly serial?: string;
  readonly at?: Date;
}

function notification(making: Making = {}) {
  const { eventType = 'TRANSACTION.SUCCESS', resource = TRANSACTION, envelope = {}, apiV3Key = API_V3_KEY } = making;
  const text = typeof resource === 'string' ? resource : JSON.stringify(resource);
  const body = JSON.stringify({
    id: 'EV-1',
    create_time: '2026-11-22T18:00:00+08:00',
    resource_type: 'encrypt-resource',
    event_type: eventType,
    summary: 'x',
    resource: { original_type: 'transaction', ...seal(text, 'transaction', apiV3Key) },
    ...envelope,
  });
  const signed = platformHeaders(
    body,
    making.serial ?? PLATFORM_SERIAL,
    making.key ?? platformKeys.privateKey,
    making.at ?? new Date(),
  );
  const headers = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]));
  return { headers, body };
}

async function reasonOf({ headers, body }: ReturnType<typeof notification>, by = verifier): Promise<string | null> {
  try {
    await by.verify(headers, body);
    return null;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(WechatPayNotificationRefused);
    return (thrown as WechatPayNotificationRefused).reason;
  }
}

describe('WechatPayNotificationVerifier', () => {
  it('reads a paid order', async () => {
    const { headers, body } = notification();
    await expect(verifier.verify(headers, Buffer.from(body))).resolves.toEqual({
      id: 'EV-1',
      eventType: 'TRANSACTION.SUCCESS',
      merchantId: '1600000000',
      outTradeNo: 'order-1',
      transactionId: '42001',
      status: 'SUCCESS',
      amount: yuan('50.00'),
    });
  });

  it.each([
    ['REFUND.SUCCESS', 'SUCCESS', 'SUCCESS'],
    ['REFUND.ABNORMAL', 'ABNORMAL', 'ABNORMAL'],
    ['REFUND.CLOSED', 'CLOSE', 'CLOSED'],
  ])('reads %s: the state is that of the refund, the amount what is given back', async (eventType, sent, status) => {
    const { headers, body } = notification({ eventType, resource: { ...REFUND, refund_status: sent } });
    await expect(verifier.verify(headers, body)).resolves.toMatchObject({
      eventType,
      outRefundNo: 'ref-1',
      refundId: '50301',
      status,
      amount: yuan('12.00'),
    });
  });

  it('reads the result of a wallet payment', async () => {
    const { headers, body } = notification({ eventType: 'PAYMENT.RESULT', resource: PAYMENT });
    await expect(verifier.verify(headers, body)).resolves.toEqual({
      id: 'EV-1',
      eventType: 'PAYMENT.RESULT',
      paymentRequestId: 'req-1',
      status: 'FAIL',
      resultCode: 'NO',
      amount: yuan('50.00'),
    });
  });

  it.each<[string, string, Making]>([
    ['signed by someone else', 'BAD_SIGNATURE', { key: strangerKeys.privateKey }],
    ['signed with an unknown certificate', 'UNKNOWN_SERIAL', { serial: 'AB12' }],
    ['that is six minutes old', 'STALE', { at: fromNow(-360_000) }],
    ['encrypted with another APIv3 key', 'UNDECIPHERABLE', { apiV3Key: Buffer.alloc(32) }],
    ['for another service provider', 'NOT_OURS', { resource: { ...TRANSACTION, sp_mchid: '1' } }],
    ['of a kind that we do not know', 'MALFORMED', { eventType: 'COUPON.USE' }],
    ['that is not encrypted', 'MALFORMED', { envelope: { resource: TRANSACTION } }],
    ['whose resource is not JSON', 'MALFORMED', { resource: 'x' }],
    ['whose resource lacks the amount', 'MALFORMED', { resource: { ...TRANSACTION, amount: undefined } }],
    ['whose amount has a fraction', 'MALFORMED', { resource: { ...TRANSACTION, amount: { total: 0.5 } } }],
    ['whose kind and resource differ', 'MALFORMED', { eventType: 'REFUND.SUCCESS', resource: TRANSACTION }],
  ])('refuses one %s: %s', async (_what, reason, making) => {
    await expect(reasonOf(notification(making))).resolves.toBe(reason);
  });

  it('refuses one without headers, one that was altered and a probe', async () => {
    const { headers, body } = notification();
    await expect(reasonOf({ headers: {}, body })).resolves.toBe('UNSIGNED');
    await expect(reasonOf({ headers, body: body.replace('EV-1', 'EV-2') })).resolves.toBe('BAD_SIGNATURE');
    await expect(reasonOf({ headers, body: `${body} ` })).resolves.toBe('BAD_SIGNATURE');
    const probe = { ...headers, 'wechatpay-signature': 'WECHATPAY/SIGNTEST/abc' };
    await expect(reasonOf({ headers: probe, body })).resolves.toBe('BAD_SIGNATURE');
  });

  it('cannot judge while the platform’s certificates are out of reach', async () => {
    const alone = new WechatPayNotificationVerifier(configurationFor('http://127.0.0.1:1'));
    await expect(reasonOf(notification(), alone)).resolves.toBe('KEYS_UNAVAILABLE');
  });
});

describe('what the network sends', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await TestNetwork.start();
  });
  afterAll(() => network.stop());

  it('verifies with the platform’s certificates: payment to the wallet, order to the merchant, then the refund', async () => {
    const live = new WechatPayNotificationVerifier(configurationFor(network.url));
    const [outTradeNo, outRefundNo, merchantId] = [unique('ord'), unique('ref'), merchantOf('ok')];
    const { codeUrl } = await network.order(outTradeNo);
    const request = network.payRequest(codeUrl);
    const { transactionId } = await network.wallet.pay(request);
    const read = async (count: number) => {
      const deliveries = await network.receiver.until(count);
      return Promise.all(deliveries.map(({ headers, body }) => live.verify(headers, body)));
    };
    const both = await read(2);
    expect(both.find(({ eventType }) => eventType === 'PAYMENT.RESULT')).toMatchObject({
      paymentRequestId: request.paymentRequestId,
      status: 'SUCCESS',
      transactionId,
      amount: yuan('50.00'),
    });
    expect(both.find(({ eventType }) => eventType === 'TRANSACTION.SUCCESS')).toMatchObject({
      outTradeNo,
      merchantId,
      transactionId,
      amount: yuan('50.00'),
    });
    const amounts = { refund: yuan('12.00'), total: yuan('50.00') };
    await network.client.refund({
      merchantId,
      transactionId: transactionId ?? '',
      outRefundNo,
      reason: 'x',
      notifyUrl: network.notifyUrl,
      ...amounts,
    });
    const all = await read(3);
    expect(all[2]).toMatchObject({
      eventType: 'REFUND.SUCCESS',
      outRefundNo,
      status: 'SUCCESS',
      amount: yuan('12.00'),
    });
  });
});
