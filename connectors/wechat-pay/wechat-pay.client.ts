import { z } from 'zod';
import { invariant } from '../../subgraphs/kernel/error.js';
import type { Money } from '../../subgraphs/kernel/money/money.js';
import { refundAmount, toMinorUnits, totalAmount } from './wechat-pay.amount.js';
import { platformKeysOf } from './wechat-pay.certificates.js';
import type { WechatPayConfiguration } from './wechat-pay.configuration.js';
import { WechatPayRefusal, WechatPayUnknown } from './wechat-pay.errors.js';
import type { PlatformKeys } from './wechat-pay.signature.js';
import { moment, toBeijing } from './wechat-pay.time.js';
import { WechatPayTransport } from './wechat-pay.transport.js';

const DESCRIPTION_LENGTH = 127;
const REASON_BYTES = 80;
const NOT_THERE: ReadonlySet<string> = new Set(['ORDER_NOT_EXIST', 'RESOURCE_NOT_EXISTS']);

export const transactionState = z.enum(['NOTPAY', 'USERPAYING', 'SUCCESS', 'REFUND', 'CLOSED', 'REVOKED', 'PAYERROR']);
/** Three spellings of one state are in use, see the interface descriptions of domestic and global refunds. */
export const refundState = z
  .enum(['SUCCESS', 'PROCESSING', 'ABNORMAL', 'CLOSED', 'CLOSE', 'REFUNDCLOSE'])
  .transform((state) => (state === 'CLOSE' || state === 'REFUNDCLOSE' ? 'CLOSED' : state));

/** An order as the merchant's side of WeChat Pay sees it. Only SUCCESS and REFUND mean that it was paid. */
export interface Transaction {
  readonly outTradeNo: string;
  readonly transactionId: string | null;
  readonly state: z.infer<typeof transactionState>;
  readonly amount: Money;
  readonly paidAt: Date | null;
}

export interface WechatRefund {
  readonly refundId: string;
  readonly outRefundNo: string;
  /** ABNORMAL: the payer's account cannot take the money; someone has to settle it by hand. */
  readonly status: z.output<typeof refundState>;
  /** What is given back, not the order's total. */
  readonly amount: Money;
}

export interface NativeOrder {
  /** 6 to 32 characters of `0-9A-Za-z_-|*`. The same number with the same content gives the same code again. */
  readonly outTradeNo: string;
  /** The merchant's number at WeChat Pay (`sub_mchid`). */
  readonly merchantId: string;
  readonly description: string;
  readonly amount: Money;
  readonly expiresAt: Date;
  readonly notifyUrl: string;
  /** Comes back in queries and notifications; at most 128 bytes. */
  readonly attach: string;
}

export interface RefundOrder {
  readonly merchantId: string;
  readonly transactionId: string;
  /** The idempotency key: a new number refunds a second time. */
  readonly outRefundNo: string;
  readonly reason: string;
  readonly refund: Money;
  /** The whole amount of the order that is refunded. */
  readonly total: Money;
  readonly notifyUrl: string;
}

const nativeAnswer = z.object({ code_url: z.string().startsWith('weixin://').max(512) });

const transactionAnswer = z
  .object({
    sub_mchid: z.string(),
    out_trade_no: z.string(),
    transaction_id: z.string().min(1).optional(),
    trade_state: transactionState,
    success_time: moment.optional(),
    amount: totalAmount,
  })
  .refine(
    (answer) => !isPaid(answer.trade_state) || answer.transaction_id !== undefined,
    'a paid order has a transaction',
  );

const refundAnswer = z.object({
  refund_id: z.string().min(1),
  out_refund_no: z.string(),
  status: refundState,
  amount: refundAmount,
});

/** The merchant's side of WeChat Pay, API v3, as a service provider for its merchants (the `partner` form). */
export class WechatPayClient {
  private readonly transport: WechatPayTransport;

  constructor(
    private readonly configuration: WechatPayConfiguration,
    keys: PlatformKeys = platformKeysOf(configuration),
  ) {
    this.transport = new WechatPayTransport(configuration, configuration.baseUrl, keys);
  }

  /** Registers an order to be paid once and returns what its QR code holds. @throws WechatPayRefusal, WechatPayUnknown */
  async createNativeOrder(order: NativeOrder): Promise<{ codeUrl: string }> {
    const body = {
      sp_appid: this.configuration.appid,
      sp_mchid: this.configuration.signer.mchid,
      sub_mchid: merchantNumber(order.merchantId),
      description: Array.from(order.description).slice(0, DESCRIPTION_LENGTH).join(''),
      out_trade_no: order.outTradeNo,
      time_expire: toBeijing(order.expiresAt),
      attach: order.attach,
      notify_url: order.notifyUrl,
      amount: { total: toMinorUnits(order.amount), currency: order.amount.currency },
    };
    const answer = await this.transport.call(
      { method: 'POST', path: '/v3/pay/partner/transactions/native', body },
      nativeAnswer,
    );
    return { codeUrl: answer.code_url };
  }

  /** Null: they know no such order. @throws WechatPayRefusal, WechatPayUnknown */
  async queryOrder(outTradeNo: string, merchantId: string): Promise<Transaction | null> {
    const query = { sp_mchid: this.configuration.signer.mchid, sub_mchid: merchantNumber(merchantId) };
    const path = orderPath(outTradeNo);
    const answer = await orNull(this.transport.call({ method: 'GET', path, query }, transactionAnswer));
    if (answer === null) return null;
    same(answer.out_trade_no === outTradeNo && answer.sub_mchid === merchantId);
    return {
      outTradeNo,
      transactionId: answer.transaction_id ?? null,
      state: answer.trade_state,
      amount: answer.amount,
      paidAt: isPaid(answer.trade_state) ? (answer.success_time ?? null) : null,
    };
  }

  /**
   * Ends an unpaid order; one that is closed already stays so.
   * @throws WechatPayRefusal ORDERPAID: it **was paid**; FREQUENCY_LIMITED: a payer is at it, query and try again
   * @throws WechatPayUnknown
   */
  async closeOrder(outTradeNo: string, merchantId: string): Promise<void> {
    const body = { sp_mchid: this.configuration.signer.mchid, sub_mchid: merchantNumber(merchantId) };
    try {
      await this.transport.command({ method: 'POST', path: `${orderPath(outTradeNo)}/close`, body });
    } catch (thrown) {
      if (!(thrown instanceof WechatPayRefusal && thrown.code === 'ORDER_CLOSED')) throw thrown;
    }
  }

  /** Gives back all or part of a paid order, in the order's own currency. @throws WechatPayRefusal, WechatPayUnknown */
  async refund(order: RefundOrder): Promise<WechatRefund> {
    const body = {
      sub_mchid: merchantNumber(order.merchantId),
      transaction_id: order.transactionId,
      out_refund_no: order.outRefundNo,
      reason: cutBytes(order.reason, REASON_BYTES),
      notify_url: order.notifyUrl,
      amount: {
        refund: toMinorUnits(order.refund),
        total: toMinorUnits(order.total),
        currency: order.refund.currency,
      },
    };
    const path = '/v3/refund/domestic/refunds';
    return refundOf(order.outRefundNo, await this.transport.call({ method: 'POST', path, body }, refundAnswer));
  }

  /** Null: they know no such refund. @throws WechatPayRefusal, WechatPayUnknown */
  async queryRefund(outRefundNo: string, merchantId: string): Promise<WechatRefund | null> {
    const path = `/v3/refund/domestic/refunds/${encodeURIComponent(outRefundNo)}`;
    const query = { sub_mchid: merchantNumber(merchantId) };
    const answer = await orNull(this.transport.call({ method: 'GET', path, query }, refundAnswer));
    return answer && refundOf(outRefundNo, answer);
  }

  close(): Promise<void> {
    return this.transport.close();
  }
}

function refundOf(outRefundNo: string, answer: z.output<typeof refundAnswer>): WechatRefund {
  same(answer.out_refund_no === outRefundNo);
  return { refundId: answer.refund_id, outRefundNo, status: answer.status, amount: answer.amount };
}

function orderPath(outTradeNo: string): string {
  return `/v3/pay/partner/transactions/out-trade-no/${encodeURIComponent(outTradeNo)}`;
}

function isPaid(state: Transaction['state']): boolean {
  return state === 'SUCCESS' || state === 'REFUND';
}

async function orNull<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  try {
    return await call;
  } catch (thrown) {
    if (thrown instanceof WechatPayRefusal && NOT_THERE.has(thrown.code)) return null;
    throw thrown;
  }
}

/** The signature covers the answer but not the question: an answer to another question may be a repeated old one. */
function same(holds: boolean): void {
  if (!holds) throw new WechatPayUnknown('WeChat Pay answered about something else');
}

function merchantNumber(merchantId: string): string {
  invariant(/^\d{1,32}$/.test(merchantId), 'the number of a merchant at WeChat Pay is digits');
  return merchantId;
}

/** At most `bytes` bytes of UTF-8, cut between characters. */
function cutBytes(text: string, bytes: number): string {
  let [end, size] = [0, 0];
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
