import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WechatPayNotificationVerifier } from '../../../../connectors/wechat-pay/wechat-pay.notification.js';
import {
  configurationFor,
  merchantOf,
  SCENARIOS,
  TestNetwork,
  thrownBy,
  unique,
  until,
  yuan,
} from '../network.fixture.js';

let network: TestNetwork;
beforeAll(async () => {
  network = await TestNetwork.start();
});
afterAll(() => network.stop());

type Scenario = (typeof SCENARIOS)[number];

const pay = (scenario: Scenario) => network.wallet.pay(network.payRequest(`wxp://${scenario}`));

/** What its notifications have said of a payment, in their order. */
async function toldOf(paymentRequestId: string): Promise<string[]> {
  const verifier = new WechatPayNotificationVerifier(configurationFor(network.url));
  const told = await Promise.all(
    network.receiver.deliveries.map(({ headers, body }) => verifier.verify(headers, body)),
  );
  return told.filter((each) => each.paymentRequestId === paymentRequestId).map(({ status }) => status);
}

async function refundedAt(scenario: Scenario) {
  const payment = await pay(scenario);
  const merchantId = merchantOf(scenario);
  const outRefundNo = unique('ref');
  await network.client.refund({
    merchantId,
    transactionId: payment.transactionId ?? '',
    outRefundNo,
    reason: 'x',
    refund: yuan('50.00'),
    total: yuan('50.00'),
    notifyUrl: network.notifyUrl,
  });
  return until('the end of the refund', async () => {
    const refund = await network.client.queryRefund(outRefundNo, merchantId);
    return refund && refund.status !== 'PROCESSING' ? refund : null;
  });
}

describe('A scenario of the network', () => {
  it('answers after everybody was notified', async () => {
    const payment = await pay('late-reply');
    expect(payment.status).toBe('SUCCESS');
    expect(await toldOf(payment.paymentRequestId)).toEqual(['SUCCESS']);
  });

  it.each([
    ['contradictory-notifications', 'SUCCESS', ['FAIL', 'SUCCESS']],
    ['refused-but-notified', 'FAIL', ['SUCCESS', 'FAIL']],
  ] as const)('“%s” notifies also of what is not so', async (scenario, status, told) => {
    const payment = await pay(scenario);
    expect(payment.status).toBe(status);
    const all = await until('the notifications', async () => {
      const so = await toldOf(payment.paymentRequestId);
      return so.length >= told.length ? so : null;
    });
    expect(all.toSorted()).toEqual(told.toSorted());
  });

  it('refuses when the payer has typed the wrong password', async () => {
    const { status, paymentRequestId } = await pay('slow-refused');
    expect(status).toBe('PROCESSING');
    const ended = await until('the password', async () => {
      const payment = await network.wallet.inquiryPayment({ paymentRequestId });
      return payment && payment.status !== 'PROCESSING' ? payment : null;
    });
    expect(ended).toMatchObject({ status: 'FAIL', resultCode: 'PAYMENT_REFUSED' });
  });

  it('goes on processing whoever cancels, is paid at that moment, or is too busy the first time', async () => {
    const cancelled = async (scenario: Scenario) => {
      const { paymentRequestId } = await pay(scenario);
      return network.wallet.cancelPayment({ paymentRequestId });
    };
    expect(await cancelled('never-typed')).toMatchObject({ status: 'PROCESSING' });
    expect(await cancelled('paid-while-cancelled')).toMatchObject({ status: 'SUCCESS' });
    const { paymentRequestId } = await pay('cancel-busy-once');
    const cancel = () => network.wallet.cancelPayment({ paymentRequestId });
    expect(await thrownBy(cancel())).toMatchObject({ code: 'FREQUENCY_LIMITED', action: 'RETRY' });
    expect(await cancel()).toMatchObject({ status: 'CANCELLED' });
  });

  it.each([
    ['pays-less', '49.99 CNY', 'pays-less'],
    ['pays-dollars', '50.00 USD', 'pays-dollars'],
    ['pays-another', '50.00 CNY', 'ok'],
  ] as const)('“%s” pays otherwise than was asked for, and says so', async (scenario, amount, merchant) => {
    const payment = await pay(scenario);
    expect(payment).toMatchObject({ status: 'SUCCESS', merchantId: merchantOf(merchant) });
    expect(payment.amount.toString()).toBe(amount);
  });

  it('closes a refund, which then may be asked for again by another number, or gives back another amount', async () => {
    expect(await refundedAt('refund-closed')).toMatchObject({ status: 'CLOSED' });
    expect(
      (await network.books()).transactions.find(({ merchantId }) => merchantId === merchantOf('refund-closed')),
    ).toMatchObject({ refundedAmount: '0.00' });
    const less = await refundedAt('refund-less');
    expect(less).toMatchObject({ status: 'SUCCESS' });
    expect(less.amount.toString()).toBe('49.99 CNY');
  });
});
