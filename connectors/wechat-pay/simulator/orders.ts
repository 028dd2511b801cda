import { z } from 'zod';
import { DAY, HOUR } from '../../../subgraphs/kernel/clock.js';
import { toJson } from '../wechat-pay.json.js';
import { toBeijing } from '../wechat-pay.time.js';
import type { Books, Order } from './books.js';
import type { Codes } from './codes.js';
import { newCodeUrl } from './numbers.js';
import { field, Refused, read } from './refused.js';
import type { Settings } from './settings.js';

const CODE_LIFE_MS = 2 * HOUR;
/** Unpaid orders close by themselves. */
const UNPAID_LIFE_MS = 7 * DAY;

const partners = z.object({ sp_mchid: field.merchantNumber, sub_mchid: field.merchantNumber });

const nativeOrder = partners.extend({
  sp_appid: z.string().min(1).max(32),
  description: z.string().min(1).max(127),
  out_trade_no: field.outTradeNo,
  time_expire: field.moment.optional(),
  attach: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= 128)
    .default(''),
  notify_url: field.notifyUrl,
  amount: z.object({ total: field.fen, currency: field.currency }),
});

/** The merchant's orders: `/v3/pay/partner/transactions/…`. */
export class Orders {
  constructor(
    private readonly books: Books,
    private readonly codes: Codes,
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  /** The same number with the same content gives the same code; with other content it is an error, paid or not. */
  create(body: unknown): { code_url: string } {
    const request = read(nativeOrder, body);
    this.checkPartners(request);
    const content = toJson(request);
    const known = this.books.order(request.sub_mchid, request.out_trade_no);
    if (known !== null) return { code_url: this.again(known, content).codeUrl };
    const now = this.now().getTime();
    const expiresAt = request.time_expire ?? now + CODE_LIFE_MS;
    if (expiresAt <= now) throw new Refused(400, 'PARAM_ERROR', '参数错误: time_expire');
    const order: Order = {
      outTradeNo: request.out_trade_no,
      merchantId: request.sub_mchid,
      appid: request.sp_appid,
      attach: request.attach,
      notifyUrl: request.notify_url,
      totalFen: request.amount.total,
      codeUrl: newCodeUrl(),
      createdAt: now,
      expiresAt: Math.min(expiresAt, now + CODE_LIFE_MS),
      state: 'NOTPAY',
      payment: null,
      content,
    };
    this.books.write({ orders: [order] });
    return { code_url: order.codeUrl };
  }

  query(outTradeNo: string, query: unknown): Record<string, unknown> {
    const order = this.find(outTradeNo, read(partners, query));
    const payment = order.state === 'SUCCESS' ? this.books.payments.get(order.payment ?? '') : undefined;
    return orderAnswer(this.settings.mchid, order, this.stateOf(order), payment ?? null);
  }

  close(outTradeNo: string, body: unknown): void {
    const order = this.find(outTradeNo, read(partners, body));
    if (order.state === 'SUCCESS') throw new Refused(400, 'ORDERPAID', '该订单已支付');
    if (this.stateOf(order) === 'CLOSED') throw new Refused(400, 'ORDER_CLOSED', '该订单已关闭');
    // A payer is typing a password: what comes of it is not known yet.
    if (order.payment !== null) throw new Refused(429, 'FREQUENCY_LIMITED', '订单支付中，请稍后再试');
    this.books.write({ orders: [{ ...order, state: 'CLOSED' }] });
  }

  stateOf(order: Order): 'NOTPAY' | 'SUCCESS' | 'CLOSED' | 'REFUND' {
    const unpaid = order.state === 'NOTPAY' && order.payment === null;
    if (unpaid && this.now().getTime() - order.createdAt > UNPAID_LIFE_MS) return 'CLOSED';
    if (order.state !== 'SUCCESS') return order.state;
    const transactionId = this.books.payments.get(order.payment ?? '')?.transactionId ?? null;
    return this.books.refundsOf(transactionId).length > 0 ? 'REFUND' : 'SUCCESS';
  }

  private again(known: Order, content: string): Order {
    if (known.content !== content) throw new Refused(403, 'OUT_TRADE_NO_USED', '商户订单号重复');
    if (known.state === 'SUCCESS') throw new Refused(400, 'ORDERPAID', '该订单已支付');
    if (this.stateOf(known) === 'CLOSED') throw new Refused(400, 'ORDER_CLOSED', '该订单已关闭');
    return known;
  }

  private find(outTradeNo: string, request: z.output<typeof partners>): Order {
    this.checkPartners(request);
    const order = this.books.order(request.sub_mchid, outTradeNo);
    if (order === null) throw new Refused(404, 'ORDER_NOT_EXIST', '订单不存在');
    return order;
  }

  private checkPartners(request: z.output<typeof partners>): void {
    const isOurs = request.sp_mchid === this.settings.mchid && this.codes.store(request.sub_mchid) !== null;
    if (!isOurs) throw new Refused(403, 'NO_AUTH', '商户号没有权限');
  }
}

/** An order as queries and notifications show it. */
export function orderAnswer(
  mchid: string,
  order: Order,
  state: string,
  payment: { readonly transactionId: string | null; readonly paidAt: number | null } | null,
): Record<string, unknown> {
  const total = order.totalFen;
  const paid = payment?.transactionId && {
    transaction_id: payment.transactionId,
    bank_type: 'OTHERS',
    success_time: toBeijing(new Date(payment.paidAt ?? 0)),
  };
  return {
    sp_appid: order.appid,
    sp_mchid: mchid,
    sub_mchid: order.merchantId,
    out_trade_no: order.outTradeNo,
    trade_type: 'NATIVE',
    trade_state: state,
    trade_state_desc: state === 'NOTPAY' ? '订单未支付' : state,
    attach: order.attach,
    amount: { total, currency: 'CNY', ...(paid && { payer_total: total, payer_currency: 'CNY' }) },
    ...paid,
  };
}
