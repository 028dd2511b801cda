import { z } from 'zod';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { refundAmount, totalAmount } from './wechat-pay.amount.js';
import { platformKeysOf } from './wechat-pay.certificates.js';
import { open, sealed } from './wechat-pay.cipher.js';
import { refundState, transactionState } from './wechat-pay.client.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { type PlatformKeys, type SignatureProblem, SignatureRefused, verify } from './wechat-pay.signature.js';
import { walletPaymentStatus } from './wechat-pay.wallet.client.js';

/**
 * KEYS_UNAVAILABLE: cannot be judged now. UNDECIPHERABLE: not encrypted with our APIv3 key. MALFORMED: not a notification
 * that we know. NOT_OURS: for another service provider or wallet.
 */
export type NotificationProblem = SignatureProblem | 'KEYS_UNAVAILABLE' | 'UNDECIPHERABLE' | 'MALFORMED' | 'NOT_OURS';

/** Answer it with 4xx or 5xx and touch nothing. */
export class WechatPayNotificationRefused extends Error {
  override readonly name = 'WechatPayNotificationRefused';

  constructor(
    readonly reason: NotificationProblem,
    cause?: unknown,
  ) {
    super(`notification refused: ${reason}`, { cause });
  }
}

const eventTypes = [
  'TRANSACTION.SUCCESS',
  'REFUND.SUCCESS',
  'REFUND.ABNORMAL',
  'REFUND.CLOSED',
  'PAYMENT.RESULT',
] as const;

/** Something happened over there. A hint: delivered late, twice, out of order or never; read the thing before deciding. */
export interface WechatPayNotification {
  /** The same in every delivery of one notification: the key of an inbox. */
  readonly id: string;
  readonly eventType: (typeof eventTypes)[number];
  /** Of the order, the refund (`refund_status`) or the wallet payment. */
  readonly status: string;
  /** The merchant's number at WeChat Pay; compare it with the order's before posting anything. */
  readonly merchantId?: string;
  readonly outTradeNo?: string;
  readonly transactionId?: string;
  readonly outRefundNo?: string;
  readonly refundId?: string;
  readonly paymentRequestId?: string;
  readonly resultCode?: string;
  readonly amount?: Money;
}

const envelope = z.object({
  id: z.string().min(1).max(64),
  event_type: z.enum(eventTypes),
  resource_type: z.literal('encrypt-resource'),
  resource: sealed,
});

const transaction = z
  .object({
    sp_mchid: z.string(),
    sub_mchid: z.string(),
    out_trade_no: z.string(),
    transaction_id: z.string(),
    trade_state: transactionState,
    amount: totalAmount,
  })
  .transform((resource) => ({
    owner: resource.sp_mchid,
    merchantId: resource.sub_mchid,
    outTradeNo: resource.out_trade_no,
    transactionId: resource.transaction_id,
    status: resource.trade_state,
    amount: resource.amount,
  }));

const refund = z
  .object({
    sp_mchid: z.string(),
    sub_mchid: z.string(),
    out_trade_no: z.string(),
    transaction_id: z.string(),
    out_refund_no: z.string(),
    refund_id: z.string(),
    refund_status: refundState,
    amount: refundAmount,
  })
  .transform((resource) => ({
    owner: resource.sp_mchid,
    merchantId: resource.sub_mchid,
    outTradeNo: resource.out_trade_no,
    transactionId: resource.transaction_id,
    outRefundNo: resource.out_refund_no,
    refundId: resource.refund_id,
    status: resource.refund_status,
    amount: resource.amount,
  }));

const payment = z
  .object({
    mchid: z.string(),
    payment_request_id: z.string(),
    payment_status: walletPaymentStatus,
    transaction_id: z.string().optional(),
    result_code: z.string().optional(),
    amount: totalAmount,
  })
  .transform((resource) => ({
    owner: resource.mchid,
    paymentRequestId: resource.payment_request_id,
    status: resource.payment_status,
    amount: resource.amount,
    ...(resource.transaction_id !== undefined && { transactionId: resource.transaction_id }),
    ...(resource.result_code !== undefined && { resultCode: resource.result_code }),
  }));

/** Checks notifications: the signature over the raw bytes first, then decryption, then form and addressee. */
export class WechatPayNotificationVerifier {
  constructor(
    private readonly configuration: WechatPayConfiguration,
    private readonly keys: PlatformKeys = platformKeysOf(configuration),
  ) {}

  /**
   * @param headers with names in small letters, as node:http gives them
   * @param rawBody the bytes as they came; a body that was parsed and written again does not verify
   * @throws WechatPayNotificationRefused
   */
  async verify(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    rawBody: Uint8Array | string,
  ): Promise<WechatPayNotification> {
    const body = Buffer.from(rawBody);
    await this.verifySignature(headers, body);
    const { id, event_type: eventType, resource } = parsed(envelope, body.toString('utf8'));
    const text = open(resource, this.configuration.apiV3Key);
    if (text === null) throw new WechatPayNotificationRefused('UNDECIPHERABLE');
    const { owner, ...facts } = factsOf(eventType, text);
    if (owner !== this.configuration.signer.mchid) throw new WechatPayNotificationRefused('NOT_OURS');
    return { id, eventType, ...facts };
  }

  private async verifySignature(headers: Readonly<Record<string, string | string[] | undefined>>, body: Uint8Array) {
    try {
      await verify(headers, body, this.keys, this.configuration.now());
    } catch (thrown) {
      throw new WechatPayNotificationRefused(
        thrown instanceof SignatureRefused ? thrown.reason : 'KEYS_UNAVAILABLE',
        thrown,
      );
    }
  }
}

function factsOf(eventType: WechatPayNotification['eventType'], text: string) {
  if (eventType === 'TRANSACTION.SUCCESS') return parsed(transaction, text);
  return eventType === 'PAYMENT.RESULT' ? parsed(payment, text) : parsed(refund, text);
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // Without the reason: JSON's and zod's messages may quote what a payer's notification holds.
    throw new WechatPayNotificationRefused('MALFORMED');
  }
}
