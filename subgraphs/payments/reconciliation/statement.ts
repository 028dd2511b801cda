import type { Money } from '../../kernel/money/money.js';

/** A movement as the network or the wallet provider states it, in words of ours. */
export interface StatementLine {
  readonly kind: 'PAYMENT' | 'REFUND' | 'OTHER';
  /** Their number of the movement. */
  readonly externalId: string;
  /** Our payment or refund, where they name it. */
  readonly reference: string | null;
  /** Positive, also where it is given back. */
  readonly amount: Money;
  readonly status: 'SETTLED' | 'PENDING' | 'FAILED' | 'REVERSED';
  readonly happenedAt: Date;
  /** The merchant's number at the network; null where they do not say. */
  readonly merchantId: string | null;
  /** What they kept of it, positive; null where they do not say. */
  readonly fee: Money | null;
}

/** From `from`, before `to`. */
export interface StatementWindow {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly from: Date;
  readonly to: Date;
}
