import type { PaymentId, RefundId, TravelerId } from '../../kernel/id.js';
import type { Money } from '../../kernel/money/money.js';
import type { Refused, Unknown } from '../wallet/wallet.client.js';

export interface Accepted {
  readonly outcome: 'YES';
  readonly networkPaymentId: string | null;
  readonly transactionId: string | null;
  /** What the network says it paid, and to whom: compared with what we asked. */
  readonly amount: Money;
  readonly networkMerchantId: string | null;
}

/** Taken back from the merchant. */
export interface Returned {
  readonly outcome: 'YES';
  readonly networkRefundId: string;
  /** What the network says it took: compared with what we asked. */
  readonly amount: Money;
}

/** The payer is still being asked (for a password, say): neither yes nor no. */
export interface InProgress {
  readonly outcome: 'IN_PROGRESS';
}

/** The network knows no such payment: it never got our request, or it has not yet noticed. */
export interface Missing {
  readonly outcome: 'MISSING';
}

/** A network of merchants, from the saga's side. Every call may be repeated with the same ids. */
export interface NetworkClient {
  /** Asks the network to pay the merchant. */
  pay(request: {
    readonly requestId: string;
    readonly paymentId: PaymentId;
    readonly payerToken: TravelerId;
    readonly codePayload: string;
    readonly amount: Money;
    readonly payBy: Date;
  }): Promise<Accepted | Refused | InProgress | Unknown>;

  /** NO only when the network states it of this very payment; a refusal to answer is not one. */
  inquire(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown>;

  /** Asks the network to give up a payment in progress. It may answer that it was paid after all. */
  cancel(requestId: string): Promise<Accepted | Refused | InProgress | Missing | Unknown>;

  /** Takes money back from the merchant. IN_PROGRESS: ask again with the same refund. */
  refund(request: {
    readonly refundId: RefundId;
    readonly transactionId: string;
    readonly networkMerchantId: string;
    readonly amount: Money;
    readonly total: Money;
    readonly reason: string;
  }): Promise<Returned | Refused | InProgress | Unknown>;

  /** What became of a refund that may have been asked for. NO only when the network says that it is closed. */
  inquireRefund(
    refundId: RefundId,
    networkMerchantId: string,
  ): Promise<Returned | Refused | InProgress | Missing | Unknown>;
}
