import { z } from 'zod';
import { toJson } from '../wechat-pay.json.js';
import type { Books, Notice, Order, Payment } from './books.js';
import type { Codes, ResolvedCode } from './codes.js';
import type { Notifier } from './notifier.js';
import { newOutTradeNo, newPaymentId, newTransactionId } from './numbers.js';
import { orderAnswer } from './orders.js';
import { field, Refused, read } from './refused.js';
import { playOf } from './scenarios.js';
import type { Settings } from './settings.js';
import type { Timers } from './timers.js';
import { paymentAnswer, scanAnswer } from './wallet-payments.answer.js';

const wallet = z.object({ mchid: field.merchantNumber });
const scan = wallet.extend({ code_value: z.string().min(1).max(512), customer_id: field.reference });
const named = wallet.extend({ payment_request_id: field.reference });
const payRequest = scan.extend({
  payment_request_id: field.reference,
  amount: z.object({ total: field.fen, currency: field.currency }),
  reference_order_id: field.reference,
  expire_time: field.moment,
  notify_url: field.notifyUrl,
});
type PayRequest = z.output<typeof payRequest>;

/** What a payment answers, and whether that answer gets lost on its way, or takes its time. */
export interface PaymentReply {
  readonly body: Record<string, unknown>;
  readonly isLost: boolean;
  readonly lateByMs: number;
}

/** The foreign-wallet side: `/v3/wallet/…`. */
export class WalletPayments {
  constructor(
    private readonly books: Books,
    private readonly codes: Codes,
    private readonly notifier: Notifier,
    private readonly timers: Timers,
    private readonly settings: Settings,
    private readonly now: () => Date,
  ) {}

  /** Takes up payments whose payer was still typing when the last process ended. */
  resume(): void {
    for (const payment of this.books.payments.values()) this.awaitPassword(payment);
  }

  scan(body: unknown): Record<string, unknown> {
    const request = read(scan, body);
    this.checkWallet(request.mchid);
    const code = this.codes.resolve(request.code_value);
    if (code.order !== null) this.checkPayable(code.order);
    return scanAnswer(code);
  }

  /** The same request id with the same content gives the payment as it is now; the effect happens once. */
  pay(body: unknown): PaymentReply {
    const request = read(payRequest, body);
    this.checkWallet(request.mchid);
    const content = contentOf(request);
    const known = this.books.payments.get(request.payment_request_id);
    if (known !== undefined) return { body: paymentAnswer(again(known, content)), isLost: false, lateByMs: 0 };
    if (request.expire_time <= this.now().getTime()) throw new Refused(400, 'PAYMENT_EXPIRED', '支付请求已过期');
    const code = this.codes.resolve(request.code_value);
    if (code.order !== null) this.checkPayable(code.order);
    const fixedFen = code.order === null ? code.fixedFen : code.order.totalFen;
    if (fixedFen !== null && fixedFen !== request.amount.total) {
      throw new Refused(400, 'AMOUNT_MISMATCH', '支付金额与订单金额不一致');
    }
    const payment = this.begin(request, content, code);
    const { reply } = playOf(payment.scenario);
    const lateByMs = reply === 'LATE' ? this.settings.slowMs : 0;
    return { body: paymentAnswer(payment), isLost: reply === 'LOST', lateByMs };
  }

  inquire(body: unknown): Record<string, unknown> {
    const request = read(named, body);
    this.checkWallet(request.mchid);
    const payment = this.books.payments.get(request.payment_request_id);
    if (payment === undefined) throw new Refused(404, 'PAYMENT_NOT_EXIST', '支付请求不存在');
    return paymentAnswer(payment);
  }

  /** What is final stays. What is not there is remembered as cancelled, so that a request still on its way finds it so. */
  cancel(body: unknown): Record<string, unknown> {
    const request = read(named, body);
    this.checkWallet(request.mchid);
    const known = this.books.payments.get(request.payment_request_id);
    if (known !== undefined && known.status !== 'PROCESSING') return paymentAnswer(known);
    const { isBusyOnce, stuck } = playOf(known?.scenario ?? '');
    if (isBusyOnce && !this.books.shortages.has(request.payment_request_id)) {
      this.books.write({ shortages: [request.payment_request_id] });
      throw new Refused(429, 'FREQUENCY_LIMITED', '用户支付中，请稍后再试');
    }
    if (known !== undefined && stuck) return paymentAnswer(stuck === 'SUCCESS' ? this.end(known, null) : known);
    const payment: Payment =
      known === undefined
        ? neverArrived(request.payment_request_id, this.now().getTime())
        : { ...known, status: 'CANCELLED', settlesAt: null };
    this.books.write({ payments: [payment], orders: this.released(payment) });
    return paymentAnswer(payment);
  }

  private begin(request: PayRequest, content: string, code: ResolvedCode): Payment {
    const now = this.now();
    const { scenario } = code.store;
    const play = playOf(scenario);
    const merchantId = play.differs === 'MERCHANT' ? this.codes.another(code.store) : code.store.merchantId;
    const isTyped = play.typed !== undefined || play.stuck !== undefined || play.isBusyOnce === true;
    const payment: Payment = {
      requestId: request.payment_request_id,
      paymentId: newPaymentId(now),
      status: 'PROCESSING',
      resultCode: null,
      merchantId,
      scenario,
      outTradeNo: code.order?.outTradeNo ?? newOutTradeNo(now),
      totalFen: request.amount.total - (play.differs === 'AMOUNT' ? 1n : 0n),
      referenceOrderId: request.reference_order_id,
      notifyUrl: request.notify_url,
      createdAt: now.getTime(),
      expiresAt: request.expire_time,
      settlesAt: play.typed ? now.getTime() + this.settings.slowMs : null,
      paidAt: null,
      transactionId: null,
      content,
    };
    if (play.isRefused) return this.end(payment, 'PAYMENT_REFUSED');
    if (!isTyped) return this.end(payment, null, code.order);
    this.books.write({
      payments: [payment],
      orders: code.order ? [{ ...code.order, payment: payment.requestId }] : [],
    });
    this.awaitPassword(payment);
    return payment;
  }

  private awaitPassword({ requestId, status, settlesAt }: Payment): void {
    if (status !== 'PROCESSING' || settlesAt === null) return;
    this.timers.at(settlesAt, () => {
      const payment = this.books.payments.get(requestId);
      if (payment?.status !== 'PROCESSING') return;
      const isLate = settlesAt > payment.expiresAt;
      const isRefused = playOf(payment.scenario).typed === 'FAIL';
      this.end(payment, isLate ? 'PAYMENT_EXPIRED' : isRefused ? 'PAYMENT_REFUSED' : null);
    });
  }

  /** Final, one way or the other: the payment, its order and the notifications about it, in one change. */
  private end(payment: Payment, failure: string | null, order: Order | null = this.orderOf(payment)): Payment {
    const now = this.now();
    // At the moment at which it was typed, whoever finds out when.
    const paidAt = payment.settlesAt ?? now.getTime();
    const ended: Payment =
      failure === null
        ? { ...payment, status: 'SUCCESS', paidAt, transactionId: newTransactionId(now) }
        : { ...payment, status: 'FAIL', resultCode: failure };
    const paid = order && failure === null ? { ...order, state: 'SUCCESS' as const, payment: payment.requestId } : null;
    const { copies = 1, rumour } = playOf(payment.scenario);
    const told = rumour
      ? [{ ...ended, status: rumour, transactionId: ended.transactionId ?? newTransactionId(now) }, ended]
      : [ended];
    const notices: Notice[] = told.map((each) =>
      this.notifier.draft(
        payment.notifyUrl,
        'PAYMENT.RESULT',
        'payment',
        { mchid: this.settings.mchid, ...paymentAnswer(each) },
        copies,
      ),
    );
    if (paid) {
      const resource = orderAnswer(this.settings.mchid, paid, 'SUCCESS', ended);
      notices.push(this.notifier.draft(paid.notifyUrl, 'TRANSACTION.SUCCESS', 'transaction', resource, copies));
    }
    this.books.write({ payments: [ended], orders: paid ? [paid] : this.released(ended), notices });
    this.notifier.dispatch(notices);
    return ended;
  }

  /** An order whose payment came to nothing may be paid by another. */
  private released(payment: Payment): Order[] {
    const order = this.orderOf(payment);
    return order?.payment === payment.requestId ? [{ ...order, payment: null }] : [];
  }

  private orderOf(payment: Payment): Order | null {
    return this.books.order(payment.merchantId, payment.outTradeNo);
  }

  private checkPayable(order: Order): void {
    if (order.state === 'CLOSED') throw new Refused(400, 'ORDER_CLOSED', '订单已关闭');
    if (order.state === 'SUCCESS') throw new Refused(400, 'ORDER_ALREADY_PAID', '订单已支付');
    if (order.payment !== null) throw new Refused(400, 'ORDER_BEING_PAID', '订单支付中');
    if (order.expiresAt <= this.now().getTime()) throw new Refused(400, 'CODE_EXPIRED', '二维码已过期');
  }

  private checkWallet(mchid: string): void {
    if (mchid !== this.settings.mchid) throw new Refused(403, 'NO_AUTH', '商户号没有权限');
  }
}

/** What makes two requests the same. Where to notify and how long to try may change between attempts. */
function contentOf(request: PayRequest): string {
  const { code_value, amount, reference_order_id, customer_id } = request;
  return toJson([code_value, amount.total, amount.currency, reference_order_id, customer_id]);
}

function again(known: Payment, content: string): Payment {
  if (known.content === null || known.content === content) return known;
  throw new Refused(400, 'PAYMENT_REQUEST_ID_USED', '支付请求号重复且参数不一致');
}

function neverArrived(requestId: string, now: number): Payment {
  return {
    requestId,
    paymentId: null,
    status: 'CANCELLED',
    resultCode: null,
    merchantId: '',
    scenario: 'ok',
    outTradeNo: '',
    totalFen: 0n,
    referenceOrderId: '',
    notifyUrl: '',
    createdAt: now,
    expiresAt: now,
    settlesAt: null,
    paidAt: null,
    transactionId: null,
    content: null,
  };
}
