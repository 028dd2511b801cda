import type { PaymentId, RefundId } from '../../kernel/id.js';
import type { Money } from '../../kernel/money/money.js';

/** No answer, or none that can be believed: the effect may or may not have happened. Ask again, with the same key. */
export interface Unknown {
  readonly outcome: 'UNKNOWN';
  readonly cause: string;
  /** The provider's order, where it got that far: to be kept, so that it can be read when our keys are forgotten. */
  readonly orderId?: string;
  /** This request was refused, and only an earlier one may still be done. */
  readonly refused?: true;
}

/** A definite no. `reason` is public; `code` is what the other side called it. */
export interface Refused {
  readonly outcome: 'NO';
  readonly reason: string;
  readonly code: string;
}

export interface Held {
  readonly outcome: 'YES';
  readonly orderId: string;
  readonly authorizationId: string;
  readonly amount: Money;
  readonly expiresAt: Date | null;
}

export interface Captured {
  readonly outcome: 'YES';
  readonly captureId: string;
  readonly amount: Money;
  readonly processorFee: Money | null;
}

/** What became of an order, as the provider tells it. CAPTURED also when the money was given back since. */
export interface WalletStanding {
  readonly outcome: 'YES';
  readonly hold: 'NONE' | 'PENDING' | 'HELD' | 'CAPTURED' | 'RELEASED' | 'REFUSED';
  readonly authorizationId: string | null;
  readonly captureId: string | null;
  /** What is, or was, held. */
  readonly amount: Money | null;
}

/** A provider of wallets, from the saga's side. Every call may be repeated: the keys derive from our own ids. */
export interface WalletClient {
  /** Holds the whole price at the payer's wallet. */
  authorize(request: {
    readonly paymentId: PaymentId;
    readonly requestId: string;
    /** The order of an earlier attempt: it is read before anything is asked. */
    readonly orderId: string | null;
    readonly merchantId: string;
    readonly merchantName: string;
    readonly vaultReference: string;
    readonly amount: Money;
    /** An earlier request for the same may still arrive: a refusal of this one proves nothing, and is UNKNOWN. */
    readonly mayBeUnderWay: boolean;
  }): Promise<Held | Refused | Unknown>;

  /** Only looks: nothing is asked for. A refusal to answer is UNKNOWN. */
  inquire(orderId: string): Promise<WalletStanding | Unknown>;

  /** Takes all of what is held. The reason of a no: AUTHORIZATION_EXPIRED when nothing is held any more, or CAPTURE_REFUSED. */
  capture(request: {
    readonly paymentId: PaymentId;
    readonly requestId: string;
    readonly orderId: string;
    readonly authorizationId: string;
    readonly amount: Money;
    /** As for `authorize`. */
    readonly mayBeUnderWay: boolean;
  }): Promise<Captured | Refused | Unknown>;

  /** Gives the hold free. YES also when it was free already. */
  void(request: {
    readonly authorizationId: string;
    /** As for `authorize`. */
    readonly mayBeUnderWay: boolean;
  }): Promise<{ outcome: 'YES' } | Refused | Unknown>;

  /** Gives captured money back. `amount` is what they say they gave. */
  refund(request: {
    readonly paymentId: PaymentId;
    readonly refundId: RefundId;
    readonly captureId: string;
    readonly amount: Money;
    /** As for `authorize`. */
    readonly mayBeUnderWay: boolean;
  }): Promise<{ outcome: 'YES'; walletRefundId: string; amount: Money } | Refused | Unknown>;
}
