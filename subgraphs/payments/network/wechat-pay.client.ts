import type { WechatPayClient, WechatRefund } from '../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayRefusal } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import type { WalletPayment, WechatPayWalletClient } from '../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { messageOf } from '../../kernel/error.js';
import type { RefundId } from '../../kernel/id.js';
import type { Refused, Unknown } from '../wallet/wallet.client.js';
import type { Accepted, InProgress, Missing, NetworkClient, Returned } from './network.client.js';

/** Refusals that a payer can do something about: ask for a new code. */
const REASONS: Readonly<Record<string, string>> = {
  ORDER_ALREADY_PAID: 'CODE_ALREADY_PAID',
  ORDER_BEING_PAID: 'CODE_ALREADY_PAID',
  ORDER_CLOSED: 'CODE_EXPIRED',
  CODE_EXPIRED: 'CODE_EXPIRED',
};

/** WeChat Pay as a network: payments by its wallet side, refunds by its merchant side. */
export class WechatPayNetworkClient implements NetworkClient {
  constructor(
    private readonly wallet: WechatPayWalletClient,
    private readonly merchant: WechatPayClient,
    private readonly notifyUrl: string,
  ) {}

  pay(request: Parameters<NetworkClient['pay']>[0]): Promise<Accepted | Refused | InProgress | Unknown> {
    const { requestId, paymentId, payerToken, codePayload, amount, payBy } = request;
    const order = {
      paymentRequestId: requestId,
      codeValue: codePayload,
      amount,
      referenceOrderId: paymentId,
      customerId: payerToken,
      expiresAt: payBy,
      notifyUrl: this.notifyUrl,
    };
    return threeWays(async () => {
      try {
        return outcomeOf(await this.wallet.pay(order));
      } catch (thrown) {
        if (!(thrown instanceof WechatPayRefusal) || thrown.action !== 'ALREADY_DONE') throw thrown;
        // Paid, they say, and by this very payment; they may be a moment behind with showing it.
        const ours = await this.wallet.inquiryPayment({ paymentRequestId: requestId });
        return ours ? outcomeOf(ours) : { outcome: 'UNKNOWN', cause: thrown.code };
      }
    });
  }

  inquire(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown> {
    return asked(async () => {
      const payment = await this.wallet.inquiryPayment({ paymentRequestId: requestId });
      return payment ? outcomeOf(payment) : { outcome: 'MISSING' };
    });
  }

  cancel(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown> {
    return asked(async () => outcomeOf(await this.wallet.cancelPayment({ paymentRequestId: requestId })));
  }

  refund(request: Parameters<NetworkClient['refund']>[0]): Promise<Returned | Refused | InProgress | Unknown> {
    const { refundId, transactionId, networkMerchantId, amount, total, reason } = request;
    return threeWays(async () => {
      const refund = await this.merchant.refund({
        transactionId,
        merchantId: networkMerchantId,
        outRefundNo: refundId,
        reason,
        refund: amount,
        total,
        notifyUrl: this.notifyUrl,
      });
      return refundOutcomeOf(refund);
    }, ['FINAL', 'OUR_BUG', 'ALREADY_DONE']);
  }

  inquireRefund(
    refundId: RefundId,
    networkMerchantId: string,
  ): Promise<Returned | Refused | InProgress | Missing | Unknown> {
    return asked(async () => {
      const refund = await this.merchant.queryRefund(refundId, networkMerchantId);
      return refund ? refundOutcomeOf(refund) : { outcome: 'MISSING' };
    });
  }
}

function refundOutcomeOf(refund: WechatRefund): Returned | Refused | InProgress {
  if (refund.status === 'SUCCESS') return { outcome: 'YES', networkRefundId: refund.refundId, amount: refund.amount };
  if (refund.status === 'CLOSED') return { outcome: 'NO', reason: 'NETWORK_REFUSED_REFUND', code: refund.status };
  return { outcome: 'IN_PROGRESS' };
}

function outcomeOf(payment: WalletPayment): Accepted | Refused | InProgress {
  switch (payment.status) {
    case 'SUCCESS':
      return {
        outcome: 'YES',
        networkPaymentId: payment.paymentId,
        transactionId: payment.transactionId,
        amount: payment.amount,
        networkMerchantId: payment.merchantId,
      };
    case 'PROCESSING':
      return { outcome: 'IN_PROGRESS' };
    case 'FAIL':
      return { outcome: 'NO', reason: 'NETWORK_REFUSED', code: payment.resultCode ?? payment.status };
    case 'CANCELLED':
      return { outcome: 'NO', reason: 'NETWORK_CANCELLED', code: payment.resultCode ?? payment.status };
  }
}

const NOT_THERE = new Set(['ORDER_NOT_EXIST', 'PAYMENT_NOT_EXIST', 'RESOURCE_NOT_EXISTS', 'REFUND_NOT_EXIST']);

/** For questions: whatever they refuse, they have not said no to the payment itself. */
async function asked<T>(call: () => Promise<T>): Promise<T | Missing | Unknown> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof WechatPayRefusal && NOT_THERE.has(thrown.code)) return { outcome: 'MISSING' };
    return { outcome: 'UNKNOWN', cause: messageOf(thrown) };
  }
}

/** For orders to do something: a refusal is a no, if nothing was asked before. */
async function threeWays<T>(
  call: () => Promise<T>,
  definite: readonly WechatPayRefusal['action'][] = ['FINAL'],
): Promise<T | Refused | Unknown> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof WechatPayRefusal && definite.includes(thrown.action))
      return { outcome: 'NO', reason: REASONS[thrown.code] ?? 'NETWORK_REFUSED', code: thrown.code };
    return { outcome: 'UNKNOWN', cause: messageOf(thrown) };
  }
}
