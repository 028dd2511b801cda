import { join } from 'node:path';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { Journal } from './journal.js';

/** Moments are milliseconds since 1970. Amounts are fen. Records are never changed in place: a change is a new version. */
export interface Order {
  readonly outTradeNo: string;
  readonly merchantId: string;
  readonly appid: string;
  readonly attach: string;
  readonly notifyUrl: string;
  readonly totalFen: bigint;
  readonly codeUrl: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: 'NOTPAY' | 'SUCCESS' | 'CLOSED';
  /** The wallet payment that is paying or has paid it. */
  readonly payment: string | null;
  /** All parameters of the request: the same number may come again only with the same. */
  readonly content: string;
}

export interface Payment {
  readonly requestId: string;
  /** Null: cancelled before it ever arrived. */
  readonly paymentId: string | null;
  readonly status: 'PROCESSING' | 'SUCCESS' | 'FAIL' | 'CANCELLED';
  readonly resultCode: string | null;
  readonly merchantId: string;
  readonly scenario: string;
  readonly outTradeNo: string;
  readonly totalFen: bigint;
  readonly referenceOrderId: string;
  readonly notifyUrl: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When the payer will have typed the password. */
  readonly settlesAt: number | null;
  readonly paidAt: number | null;
  readonly transactionId: string | null;
  readonly content: string | null;
}

export interface Refund {
  readonly refundId: string;
  readonly outRefundNo: string;
  readonly merchantId: string;
  readonly transactionId: string;
  readonly refundFen: bigint;
  readonly totalFen: bigint;
  readonly status: 'PROCESSING' | 'SUCCESS' | 'ABNORMAL' | 'CLOSED';
  readonly notifyUrl: string | null;
  readonly createdAt: number;
  readonly settlesAt: number;
  readonly settledAt: number | null;
  readonly content: string;
}

export interface Notice {
  readonly id: string;
  readonly url: string;
  readonly eventType: string;
  readonly originalType: 'transaction' | 'refund' | 'payment';
  /** What will be encrypted, anew for each attempt. */
  readonly resource: string;
  readonly state: 'PENDING' | 'DELIVERED' | 'GIVEN_UP';
  readonly createdAt: number;
  /** How often it must still be taken: more than once in the scenario `duplicate-notifications`. */
  readonly copies: number;
  readonly failures: number;
  readonly nextAt: number;
}

export interface Change {
  readonly orders?: readonly Order[];
  readonly payments?: readonly Payment[];
  readonly refunds?: readonly Refund[];
  readonly notices?: readonly Notice[];
  /** Numbers that were refused once: of refunds for lack of money, of payments because the payer was typing. */
  readonly shortages?: readonly string[];
}

/** All that the network believes: in memory for reading, in a journal for ever. One change is one line, whole or not at all. */
export class Books {
  readonly orders = new Map<string, Order>();
  readonly ordersByCode = new Map<string, string>();
  readonly payments = new Map<string, Payment>();
  readonly paymentsByTransaction = new Map<string, string>();
  readonly refunds = new Map<string, Refund>();
  readonly refundsByTransaction = new Map<string, Set<string>>();
  readonly notices = new Map<string, Notice>();
  readonly shortages = new Set<string>();

  private constructor(private readonly journal: Journal) {}

  /** @throws Error when a line in the middle is damaged: books are not guessed */
  static async open(folder: string): Promise<Books> {
    const { journal, lines } = await Journal.open(join(folder, 'wechat-pay.jsonl'));
    const books = new Books(journal);
    try {
      for (const line of lines) books.apply(JSON.parse(line, revive) as Change);
      await journal.compact(() => books.live());
      return books;
    } catch (thrown) {
      await journal.close();
      throw thrown;
    }
  }

  /** Takes effect at once; tell nobody before `flushed`. */
  write(change: Change): void {
    this.apply(change);
    this.journal.append(lineFor(change));
  }

  flushed(): Promise<void> {
    return this.journal.flushed();
  }

  close(): Promise<void> {
    return this.journal.close();
  }

  order(merchantId: string, outTradeNo: string): Order | null {
    return this.orders.get(`${merchantId}/${outTradeNo}`) ?? null;
  }

  orderOfCode(codeUrl: string): Order | null {
    return this.orders.get(this.ordersByCode.get(codeUrl) ?? '') ?? null;
  }

  paymentOf(transactionId: string | null): Payment | null {
    return this.payments.get(this.paymentsByTransaction.get(transactionId ?? '') ?? '') ?? null;
  }

  /** Those that gave, or may still give, something back. */
  refundsOf(transactionId: string | null): Refund[] {
    const numbers = this.refundsByTransaction.get(transactionId ?? '') ?? [];
    const refunds = Array.from(numbers, (number) => this.refunds.get(number)).filter((refund) => refund !== undefined);
    return refunds.filter(({ status }) => status !== 'CLOSED');
  }

  /** For people and tests: what `GET /books` answers. */
  toJSON() {
    return {
      transactions: Array.from(this.payments.values())
        .filter((payment) => payment.paymentId !== null)
        .map((payment) => this.transactionLine(payment)),
      refunds: Array.from(this.refunds.values(), (refund) => ({
        id: refund.refundId,
        paymentId: this.paymentOf(refund.transactionId)?.referenceOrderId,
        ...amountOf(refund.refundFen),
        status: refund.status,
        createdAt: new Date(refund.createdAt),
        outRefundNo: refund.outRefundNo,
        transactionId: refund.transactionId,
      })),
      orders: Array.from(this.orders.values(), (order) => ({
        id: order.outTradeNo,
        merchantId: order.merchantId,
        ...amountOf(order.totalFen),
        status: order.state,
        createdAt: new Date(order.createdAt),
      })),
      notifications: Array.from(this.notices.values(), ({ id, eventType, state, failures }) => ({
        id,
        eventType,
        status: state,
        failures,
      })),
    };
  }

  private transactionLine(payment: Payment) {
    const refunded = this.refundsOf(payment.transactionId).reduce((sum, refund) => sum + refund.refundFen, 0n);
    return {
      id: payment.transactionId ?? payment.paymentId,
      paymentId: payment.referenceOrderId,
      ...amountOf(payment.totalFen),
      status: payment.status,
      createdAt: new Date(payment.createdAt),
      paymentRequestId: payment.requestId,
      merchantId: payment.merchantId,
      outTradeNo: payment.outTradeNo,
      resultCode: payment.resultCode,
      refundedAmount: Money.of(refunded, 'CNY').toDecimal(),
    };
  }

  /** Lines that lead to what is believed now, for a journal that starts anew. */
  private *live(): Generator<string> {
    for (const order of this.orders.values()) yield lineFor({ orders: [order] });
    for (const payment of this.payments.values()) yield lineFor({ payments: [payment] });
    for (const refund of this.refunds.values()) yield lineFor({ refunds: [refund] });
    for (const notice of this.notices.values()) yield lineFor({ notices: [notice] });
    for (const number of this.shortages) yield lineFor({ shortages: [number] });
  }

  private apply({ orders = [], payments = [], refunds = [], notices = [], shortages = [] }: Change): void {
    for (const order of orders) {
      const key = `${order.merchantId}/${order.outTradeNo}`;
      this.orders.set(key, order);
      this.ordersByCode.set(order.codeUrl, key);
    }
    for (const payment of payments) {
      this.payments.set(payment.requestId, payment);
      if (payment.transactionId !== null) this.paymentsByTransaction.set(payment.transactionId, payment.requestId);
    }
    for (const refund of refunds) {
      this.refunds.set(refund.outRefundNo, refund);
      const siblings = this.refundsByTransaction.get(refund.transactionId) ?? new Set();
      this.refundsByTransaction.set(refund.transactionId, siblings.add(refund.outRefundNo));
    }
    for (const notice of notices) this.notices.set(notice.id, notice);
    for (const number of shortages) this.shortages.add(number);
  }
}

function amountOf(fen: bigint) {
  return { amount: Money.of(fen, 'CNY').toDecimal(), currency: 'CNY' };
}

function lineFor(change: Change): string {
  return JSON.stringify(change, replace);
}

function replace(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function revive(key: string, value: unknown): unknown {
  return key.endsWith('Fen') ? BigInt(String(value)) : value;
}
