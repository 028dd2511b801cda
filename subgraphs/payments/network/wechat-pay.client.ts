import type { WechatPayClient } from '../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayRefusal } from '../../../connectors/wechat-pay/wechat-pay.errors.js';
import type { WalletPayment, WechatPayWalletClient } from '../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { messageOf } from '../../kernel/error.js';
import type { Refused, Unknown } from '../wallet/wallet.client.js';
import type { Accepted, InProgress, Missing, NetworkClient } from './network.client.js';

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
        // The order is paid: by this very payment, or by somebody who was faster.
        const ours = await this.wallet.inquiryPayment({ paymentRequestId: requestId });
        return ours ? outcomeOf(ours) : { outcome: 'NO', reason: 'NETWORK_REFUSED', code: thrown.code };
      }
    });
  }

  inquire(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown> {
    return threeWays(async () => {
      const payment = await this.wallet.inquiryPayment({ paymentRequestId: requestId });
      return payment ? outcomeOf(payment) : { outcome: 'MISSING' };
    });
  }

  async cancel(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown> {
    const cancelled = await threeWays(async () =>
      outcomeOf(await this.wallet.cancelPayment({ paymentRequestId: requestId })),
    );
    // A refusal to cancel says nothing about the payment itself.
    return cancelled.outcome === 'NO' ? this.inquire(requestId) : cancelled;
  }

  refund(
    request: Parameters<NetworkClient['refund']>[0],
  ): Promise<{ outcome: 'YES'; networkRefundId: string } | Refused | InProgress | Unknown> {
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
      if (refund.status === 'SUCCESS') return { outcome: 'YES', networkRefundId: refund.refundId };
      if (refund.status === 'CLOSED') return { outcome: 'NO', reason: 'NETWORK_REFUSED_REFUND', code: refund.status };
      return { outcome: 'IN_PROGRESS' };
    });
  }
}

function outcomeOf(payment: WalletPayment): Accepted | Refused | InProgress {
  switch (payment.status) {
    case 'SUCCESS':
      return {
        outcome: 'YES',
        networkPaymentId: payment.paymentId,
        transactionId: payment.transactionId,
        amount: payment.amount,
      };
    case 'PROCESSING':
      return { outcome: 'IN_PROGRESS' };
    case 'FAIL':
      return { outcome: 'NO', reason: 'NETWORK_REFUSED', code: payment.resultCode ?? payment.status };
    case 'CANCELLED':
      return { outcome: 'NO', reason: 'NETWORK_CANCELLED', code: payment.resultCode ?? payment.status };
  }
}

async function threeWays<T>(call: () => Promise<T>): Promise<T | Refused | Unknown> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof WechatPayRefusal && thrown.action === 'FINAL')
      return { outcome: 'NO', reason: 'NETWORK_REFUSED', code: thrown.code };
    return { outcome: 'UNKNOWN', cause: messageOf(thrown) };
  }
}
