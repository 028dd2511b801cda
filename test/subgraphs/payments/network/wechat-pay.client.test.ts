import { describe, expect, it } from '@jest/globals';
import type { WechatPayClient } from '../../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayRefusal, WechatPayUnknown } from '../../../../connectors/wechat-pay/wechat-pay.errors.js';
import type {
  WalletPayment,
  WechatPayWalletClient,
} from '../../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { WechatPayNetworkClient } from '../../../../subgraphs/payments/network/wechat-pay.client.js';

const paymentId = newId('pay', 'us');
const refundId = newId('ref', 'us');
const amount = Money.of(10_000n, 'CNY');
const order = {
  requestId: paymentId,
  paymentId,
  payerToken: newId('trv', 'us'),
  codePayload: 'wxp://x',
  amount,
  payBy: new Date(),
};
const refund = { refundId, transactionId: 't', networkMerchantId: '19', amount, total: amount, reason: 'r' };

const paid = (status: WalletPayment['status']): WalletPayment => ({
  paymentRequestId: paymentId,
  paymentId: 'p',
  status,
  transactionId: 't',
  merchantId: '19',
  amount,
  resultCode: null,
  paidAt: null,
});
const refusal = (code: string, action: WechatPayRefusal['action']) => () =>
  Promise.reject(new WechatPayRefusal(code, action));
const lost = () => Promise.reject(new WechatPayUnknown('lost'));

/** The table of their answers: how each is understood. The wire itself is tested with the connector. */
function client(
  wallet: Partial<WechatPayWalletClient>,
  merchant: Partial<WechatPayClient> = {},
): WechatPayNetworkClient {
  return new WechatPayNetworkClient(wallet as WechatPayWalletClient, merchant as WechatPayClient, 'http://127.0.0.1/');
}

describe('WeChat Pay as a network', () => {
  it.each([
    ['SUCCESS', 'YES'],
    ['FAIL', 'NO'],
    ['CANCELLED', 'NO'],
    ['PROCESSING', 'IN_PROGRESS'],
  ] as const)('understands %s as %s, whatever it was asked', async (status, outcome) => {
    const all = client({
      pay: async () => paid(status),
      inquiryPayment: async () => paid(status),
      cancelPayment: async () => paid(status),
    });
    expect(await all.pay(order)).toMatchObject({ outcome });
    expect(await all.inquire(paymentId)).toMatchObject({ outcome });
    expect(await all.cancel(paymentId)).toMatchObject({ outcome });
  });

  it.each([
    ['CODE_EXPIRED', 'FINAL', 'NO'],
    ['SYSTEM_ERROR', 'RETRY', 'UNKNOWN'],
    ['PARAM_ERROR', 'OUR_BUG', 'UNKNOWN'],
  ] as const)('understands the refusal %s (%s) of a payment as %s', async (code, action, outcome) => {
    expect(await client({ pay: refusal(code, action) }).pay(order)).toMatchObject({ outcome });
  });

  it.each([
    ['ORDER_ALREADY_PAID', 'CODE_ALREADY_PAID'],
    ['ORDER_BEING_PAID', 'CODE_ALREADY_PAID'],
    ['ORDER_CLOSED', 'CODE_EXPIRED'],
    ['CODE_EXPIRED', 'CODE_EXPIRED'],
    ['RULE_LIMIT', 'NETWORK_REFUSED'],
  ] as const)('tells a payer what the refusal %s means: %s', async (code, reason) => {
    expect(await client({ pay: refusal(code, 'FINAL') }).pay(order)).toMatchObject({ outcome: 'NO', reason, code });
  });

  it.each([
    ['ORDER_NOT_EXIST', 'MISSING'],
    ['RESOURCE_NOT_EXISTS', 'MISSING'],
    ['RULE_LIMIT', 'UNKNOWN'],
    ['TRADE_ERROR', 'UNKNOWN'],
    ['CODE_EXPIRED', 'UNKNOWN'],
  ] as const)('never takes the refusal %s of a question for a no (M10)', async (code, outcome) => {
    const asked = client(
      { inquiryPayment: refusal(code, 'FINAL'), cancelPayment: refusal(code, 'FINAL') },
      { queryRefund: refusal(code, 'FINAL') },
    );
    expect(await asked.inquire(paymentId)).toMatchObject({ outcome });
    expect(await asked.cancel(paymentId)).toMatchObject({ outcome });
    expect(await asked.inquireRefund(refundId, '19')).toMatchObject({ outcome });
  });

  it('reads what was paid when an order is said to be paid already, and believes nothing until it shows', async () => {
    const pay = refusal('ORDERPAID', 'ALREADY_DONE');
    expect(await client({ pay, inquiryPayment: async () => paid('SUCCESS') }).pay(order)).toMatchObject({
      outcome: 'YES',
    });
    expect(await client({ pay, inquiryPayment: async () => null }).pay(order)).toMatchObject({ outcome: 'UNKNOWN' });
  });

  it('knows nothing when an answer is lost', async () => {
    const all = client({ pay: lost, inquiryPayment: lost, cancelPayment: lost }, { refund: lost, queryRefund: lost });
    const answers = [
      all.pay(order),
      all.inquire(paymentId),
      all.cancel(paymentId),
      all.refund(refund),
      all.inquireRefund(refundId, '19'),
    ];
    for (const answer of await Promise.all(answers)) expect(answer.outcome).toBe('UNKNOWN');
  });

  it.each([
    ['SUCCESS', 'YES'],
    ['CLOSED', 'NO'],
    ['PROCESSING', 'IN_PROGRESS'],
    ['ABNORMAL', 'IN_PROGRESS'],
  ] as const)('understands a refund that is %s as %s', async (status, outcome) => {
    const made = async () => ({ refundId: 'r', outRefundNo: refundId, status, amount });
    const all = client({}, { refund: made, queryRefund: made });
    expect(await all.refund(refund)).toMatchObject({ outcome });
    expect(await all.inquireRefund(refundId, '19')).toMatchObject({ outcome });
  });

  it.each([
    ['INVALID_REQUEST', 'OUR_BUG', 'NO'],
    ['RESOURCE_NOT_EXISTS', 'FINAL', 'NO'],
    ['NOT_ENOUGH', 'RETRY', 'UNKNOWN'],
    ['FREQUENCY_LIMITED', 'RETRY', 'UNKNOWN'],
  ] as const)('understands the refusal %s (%s) of a refund as %s', async (code, action, outcome) => {
    expect(await client({}, { refund: refusal(code, action) }).refund(refund)).toMatchObject({ outcome });
  });
});
