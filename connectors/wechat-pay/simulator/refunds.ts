import { z } from 'zod';
import { DAY } from '../../../subgraphs/kernel/clock.js';
import { toJson } from '../wechat-pay.json.js';
import { toBeijing } from '../wechat-pay.time.js';
import type { Books, Payment, Refund } from './books.js';
import type { Notifier } from './notifier.js';
import { newRefundId } from './numbers.js';
import { field, Refused, read } from './refused.js';
import { playOf } from './scenarios.js';
import type { Settings } from './settings.js';
import type { Timers } from './timers.js';

const LAST_DAY_MS = 365 * DAY;
const MOST_REFUNDS = 50;

const refundRequest = z.object({
  sub_mchid: field.merchantNumber,
  transaction_id: z.string().min(1).max(32),
  out_refund_no: field.outRefundNo,
  reason: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= 80)
    .optional(),
  notify_url: field.notifyUrl.optional(),
  amount: z.object({ refund: field.fen, total: field.fen, currency: field.currency }),
});
type RefundRequest = z.output<typeof refundRequest>;

const refundQuery = z.object({ sub_mchid: field.merchantNumber });

/** Money back to the payer: `/v3/refund/domestic/refunds`. */
export class Refunds {
  constructor(
    private readonly books: Books,
    private readonly notifier: Notifier,
    private readonly timers: Timers,
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  resume(): void {
    for (const refund of this.books.refunds.values()) this.awaitEnd(refund);
  }

  /** The same number with the same amounts is the same refund. */
  create(body: unknown): Record<string, unknown> {
    const request = read(refundRequest, body);
    const content = contentOf(request);
    const known = this.books.refunds.get(request.out_refund_no);
    if (known !== undefined) {
      if (known.content === content) return this.answer(known);
      throw new Refused(400, 'INVALID_REQUEST', '订单金额或退款金额与之前请求不一致');
    }
    const payment = this.books.paymentOf(request.transaction_id);
    if (payment?.merchantId !== request.sub_mchid) throw new Refused(404, 'RESOURCE_NOT_EXISTS', '订单不存在');
    this.checkRules(request, payment);
    this.checkFunds(request, payment);
    const now = this.now().getTime();
    const refund: Refund = {
      refundId: newRefundId(this.now()),
      outRefundNo: request.out_refund_no,
      merchantId: request.sub_mchid,
      transactionId: request.transaction_id,
      refundFen: request.amount.refund - (playOf(payment.scenario).refund === 'LESS' ? 1n : 0n),
      totalFen: request.amount.total,
      status: 'PROCESSING',
      notifyUrl: request.notify_url ?? null,
      createdAt: now,
      settlesAt: now + this.settings.refundMs,
      settledAt: null,
      content,
    };
    if (this.settings.refundMs === 0) return this.answer(this.end(refund));
    this.books.write({ refunds: [refund] });
    this.awaitEnd(refund);
    return this.answer(refund);
  }

  query(outRefundNo: string, query: unknown): Record<string, unknown> {
    const { sub_mchid } = read(refundQuery, query);
    const refund = this.books.refunds.get(outRefundNo);
    if (refund?.merchantId !== sub_mchid) throw new Refused(404, 'RESOURCE_NOT_EXISTS', '退款单不存在');
    return this.answer(refund);
  }

  private checkRules({ amount }: RefundRequest, payment: Payment): void {
    const earlier = this.books.refundsOf(payment.transactionId);
    const refunded = earlier.reduce((sum, refund) => sum + refund.refundFen, 0n);
    const now = this.now().getTime();
    if (amount.total !== payment.totalFen) refuse('订单金额不一致');
    if (now - (payment.paidAt ?? 0) > LAST_DAY_MS) refuse('订单已超过可退款的最大期限');
    if (earlier.length >= MOST_REFUNDS) refuse('退款次数超过限制');
    if (refunded + amount.refund > payment.totalFen) refuse('申请退款金额超过订单可退金额');
    if (earlier.some(({ createdAt }) => now - createdAt < this.settings.refundIntervalMs)) {
      throw new Refused(429, 'FREQUENCY_LIMITED', '退款请求过于频繁');
    }
  }

  /** Scenario `refund-not-enough-once`: the pool is empty at the first attempt of each refund. */
  private checkFunds({ out_refund_no }: RefundRequest, payment: Payment): void {
    if (playOf(payment.scenario).refund !== 'NOT_ENOUGH_ONCE' || this.books.shortages.has(out_refund_no)) return;
    this.books.write({ shortages: [out_refund_no] });
    throw new Refused(403, 'NOT_ENOUGH', '基本账户余额不足');
  }

  private awaitEnd({ outRefundNo, status, settlesAt }: Refund): void {
    if (status !== 'PROCESSING') return;
    this.timers.at(settlesAt, () => {
      const refund = this.books.refunds.get(outRefundNo);
      if (refund?.status === 'PROCESSING') this.end(refund);
    });
  }

  private end(refund: Refund): Refund {
    const { refund: played, copies = 1 } = playOf(this.books.paymentOf(refund.transactionId)?.scenario ?? '');
    const status = played === 'ABNORMAL' || played === 'CLOSED' ? played : 'SUCCESS';
    const ended: Refund = { ...refund, status, settledAt: this.now().getTime() };
    const { status: refund_status, create_time: _, ...rest } = this.answer(ended);
    const resource = { sp_mchid: this.settings.mchid, sub_mchid: refund.merchantId, ...rest, refund_status };
    const notices = refund.notifyUrl
      ? [this.notifier.draft(refund.notifyUrl, `REFUND.${status}`, 'refund', resource, copies)]
      : [];
    this.books.write({ refunds: [ended], notices });
    this.notifier.dispatch(notices);
    return ended;
  }

  private answer(refund: Refund): Record<string, unknown> {
    const [total, back] = [refund.totalFen, refund.refundFen];
    return {
      refund_id: refund.refundId,
      out_refund_no: refund.outRefundNo,
      transaction_id: refund.transactionId,
      out_trade_no: this.books.paymentOf(refund.transactionId)?.outTradeNo,
      channel: 'ORIGINAL',
      user_received_account: '用户零钱',
      create_time: toBeijing(new Date(refund.createdAt)),
      status: refund.status,
      ...(refund.settledAt !== null && { success_time: toBeijing(new Date(refund.settledAt)) }),
      amount: {
        total,
        refund: back,
        payer_total: total,
        payer_refund: back,
        settlement_total: total,
        settlement_refund: back,
        discount_refund: 0,
        currency: 'CNY',
      },
    };
  }
}

/** What makes two requests the same refund: not where to notify, nor the words of the reason. */
function contentOf({ sub_mchid, transaction_id, amount }: RefundRequest): string {
  return toJson([sub_mchid, transaction_id, amount.refund, amount.total]);
}

function refuse(message: string): never {
  throw new Refused(400, 'INVALID_REQUEST', message);
}
