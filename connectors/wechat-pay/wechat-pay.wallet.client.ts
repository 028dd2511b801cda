import { z } from 'zod';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { toMinorUnits, totalAmount } from './wechat-pay.amount.js';
import { platformKeysOf } from './wechat-pay.certificates.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { WechatPayRefusal, WechatPayUnknown } from './wechat-pay.errors.js';
import type { PlatformKeys } from './wechat-pay.signature.js';
import { moment, toBeijing } from './wechat-pay.time.js';
import { type Call, WechatPayTransport } from './wechat-pay.transport.js';

/** What the network says about a code that a payer scanned. */
export interface ScannedCode {
  /** STORE_CODE: the payer types the amount. ORDER_CODE: the amount is fixed and the order can be paid once. */
  readonly codeType: 'ORDER_CODE' | 'STORE_CODE';
  readonly merchant: {
    readonly merchantId: string;
    readonly name: string;
    readonly localName: string;
    readonly categoryCode: string;
    readonly city: string;
    readonly countryCode: string;
  };
  readonly amount: Money | null;
  readonly reference: string | null;
  readonly expiresAt: Date | null;
  readonly orderId: string | null;
}

export interface WalletPay {
  /** The idempotency key. The same key with another amount, code or order is refused. */
  readonly paymentRequestId: string;
  readonly codeValue: string;
  /** In the merchant's currency. */
  readonly amount: Money;
  /** Our payment's id. */
  readonly referenceOrderId: string;
  /** Pseudonymous: the network needs to tell payers apart, not to know them. */
  readonly customerId: string;
  readonly expiresAt: Date;
  readonly notifyUrl: string;
}

/** Only SUCCESS, FAIL and CANCELLED are final. */
export interface WalletPayment {
  readonly paymentRequestId: string;
  /** The network's number; null when it never saw the payment that was cancelled. */
  readonly paymentId: string | null;
  readonly status: 'SUCCESS' | 'FAIL' | 'PROCESSING' | 'CANCELLED';
  /** The number that refunds and bills go by; there from SUCCESS on. */
  readonly transactionId: string | null;
  /** Whom the network paid or would pay (`sub_mchid`); null when it never saw the payment that was cancelled. */
  readonly merchantId: string | null;
  /** Zero when the network never saw the payment that was cancelled. */
  readonly amount: Money;
  readonly resultCode: string | null;
  readonly paidAt: Date | null;
}

export const walletPaymentStatus = z.enum(['SUCCESS', 'FAIL', 'PROCESSING', 'CANCELLED']);

const scannedCode = z.object({
  code_type: z.enum(['ORDER_CODE', 'STORE_CODE']),
  merchant: z.object({
    sub_mchid: z.string().regex(/^\d{1,32}$/),
    name: z.string().min(1),
    local_name: z.string().min(1),
    category_code: z.string().regex(/^\d{4}$/),
    city: z.string().min(1),
    country_code: z.string().regex(/^[A-Z]{2}$/),
  }),
  amount: totalAmount.optional(),
  reference: z.string().optional(),
  expire_time: moment.optional(),
  out_trade_no: z.string().optional(),
});

const walletPayment = z
  .object({
    payment_request_id: z.string(),
    payment_id: z.string().min(1).optional(),
    payment_status: walletPaymentStatus,
    transaction_id: z.string().min(1).optional(),
    sub_mchid: z.string().min(1).optional(),
    amount: totalAmount,
    result_code: z.string().optional(),
    payment_time: moment.optional(),
  })
  .refine(
    ({ payment_status, transaction_id, sub_mchid }) =>
      payment_status !== 'SUCCESS' || (transaction_id !== undefined && sub_mchid !== undefined),
    'a paid payment has a transaction and a merchant',
  );

/**
 * The foreign-wallet side: a wallet from abroad pays a merchant of the network. There is no public specification of it, so the
 * operations are shaped after Alipay+'s wallet-side interface and travel by the v3 rules; see the README.
 */
export class WechatPayWalletClient {
  private readonly transport: WechatPayTransport;

  constructor(
    private readonly configuration: WechatPayConfiguration,
    keys: PlatformKeys = platformKeysOf(configuration),
  ) {
    this.transport = new WechatPayTransport(configuration, configuration.walletBaseUrl, keys);
  }

  /** Asks whose code this is. Changes nothing. @throws WechatPayRefusal CODE_INVALID, CODE_EXPIRED, ORDER_CLOSED, ORDER_ALREADY_PAID; WechatPayUnknown */
  async userInitiatedPay(scan: { codeValue: string; customerId: string }): Promise<ScannedCode> {
    const body = { ...this.wallet(), code_value: scan.codeValue, customer_id: scan.customerId };
    const code = await this.transport.call(post('user-initiated-pay', body), scannedCode);
    const { merchant } = code;
    return {
      codeType: code.code_type,
      merchant: {
        merchantId: merchant.sub_mchid,
        name: merchant.name,
        localName: merchant.local_name,
        categoryCode: merchant.category_code,
        city: merchant.city,
        countryCode: merchant.country_code,
      },
      amount: code.amount ?? null,
      reference: code.reference ?? null,
      expiresAt: code.expire_time ?? null,
      orderId: code.out_trade_no ?? null,
    };
  }

  /**
   * Pays the merchant. Send it again with the same content after WechatPayUnknown: the network does it once.
   * @throws WechatPayRefusal, WechatPayUnknown
   */
  async pay(command: WalletPay): Promise<WalletPayment> {
    const body = {
      ...this.wallet(),
      payment_request_id: command.paymentRequestId,
      code_value: command.codeValue,
      amount: { total: toMinorUnits(command.amount), currency: command.amount.currency },
      reference_order_id: command.referenceOrderId,
      customer_id: command.customerId,
      expire_time: toBeijing(command.expiresAt),
      notify_url: command.notifyUrl,
    };
    return this.payment('pay', body, command.paymentRequestId);
  }

  /** Null: they know no such payment — yet; a request that is still on its way may arrive later. @throws WechatPayRefusal, WechatPayUnknown */
  async inquiryPayment({ paymentRequestId }: { paymentRequestId: string }): Promise<WalletPayment | null> {
    try {
      return await this.payment('inquiry-payment', this.named(paymentRequestId), paymentRequestId);
    } catch (thrown) {
      if (thrown instanceof WechatPayRefusal && thrown.code === 'PAYMENT_NOT_EXIST') return null;
      throw thrown;
    }
  }

  /**
   * Ends a payment that is not paid, also one that never arrived: a late request with its id is refused from then on. Read
   * the status: SUCCESS means that it was too late, and only a refund gives the money back.
   * @throws WechatPayRefusal, WechatPayUnknown
   */
  async cancelPayment({ paymentRequestId }: { paymentRequestId: string }): Promise<WalletPayment> {
    return this.payment('cancel-payment', this.named(paymentRequestId), paymentRequestId);
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private async payment(operation: string, body: Call['body'], paymentRequestId: string): Promise<WalletPayment> {
    const answer = await this.transport.call(post(operation, body), walletPayment);
    if (answer.payment_request_id !== paymentRequestId)
      throw new WechatPayUnknown('WeChat Pay answered about something else');
    return {
      paymentRequestId,
      paymentId: answer.payment_id ?? null,
      status: answer.payment_status,
      transactionId: answer.transaction_id ?? null,
      merchantId: answer.sub_mchid ?? null,
      amount: answer.amount,
      resultCode: answer.result_code ?? null,
      paidAt: answer.payment_time ?? null,
    };
  }

  private named(paymentRequestId: string) {
    return { ...this.wallet(), payment_request_id: paymentRequestId };
  }

  private wallet() {
    return { mchid: this.configuration.signer.mchid };
  }
}

function post(operation: string, body: Call['body']): Call {
  return { method: 'POST', path: `/v3/wallet/${operation}`, ...(body && { body }) };
}
