import { ConflictError } from '../../kernel/error.js';
import type { Money } from '../../kernel/money/money.js';

export class RefundExceedsPayment extends ConflictError {
  constructor(left: Money) {
    super('REFUND_EXCEEDS_PAYMENT', `Only ${left} of this payment is left to refund.`, {
      leftAmount: left.toDecimal(),
      leftCurrency: left.currency,
    });
  }
}

export class RefundNotAllowed extends ConflictError {
  constructor(reason: 'NOT_COMPLETED' | 'TOO_LATE' | 'TOO_MANY', message: string) {
    super('REFUND_NOT_ALLOWED', message, { reason }, reason === 'NOT_COMPLETED');
  }
}
