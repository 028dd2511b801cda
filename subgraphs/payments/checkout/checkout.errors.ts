import { ConflictError, InvalidError } from '../../kernel/error.js';
import type { Money } from '../../kernel/money/money.js';

export class AmountRequired extends InvalidError {
  constructor() {
    super('AMOUNT_REQUIRED', 'This code leaves the amount to the payer: say one.');
  }
}

export class AmountNotAllowed extends InvalidError {
  constructor() {
    super('AMOUNT_NOT_ALLOWED', 'This code carries its amount: do not say one.');
  }
}

export class WrongCurrency extends InvalidError {
  constructor(expected: string) {
    super('INVALID_MONEY', `The merchant is paid in ${expected}: say the amount in it.`, { expected });
  }
}

export class CheckoutExpired extends ConflictError {
  constructor() {
    super('CHECKOUT_EXPIRED', 'This checkout has expired. Scan the code again.');
  }
}

export class CheckoutCancelled extends ConflictError {
  constructor() {
    super('CHECKOUT_CANCELLED', 'This checkout was cancelled.');
  }
}

export class CheckoutAlreadyConfirmed extends ConflictError {
  constructor(paymentId: string | null) {
    super('CHECKOUT_ALREADY_CONFIRMED', 'This checkout is already a payment.', { paymentId });
  }
}

export class QuoteExpired extends ConflictError {
  constructor() {
    super('QUOTE_EXPIRED', 'The price has expired. Ask for a new one.');
  }
}

export class SpendingLimitExceeded extends ConflictError {
  constructor(window: 'PAYMENT' | 'YEAR', limit: Money) {
    super('SPENDING_LIMIT_EXCEEDED', `This would exceed the limit of ${limit} per ${window.toLowerCase()}.`, {
      window,
      limitAmount: limit.toDecimal(),
      limitCurrency: limit.currency,
    });
  }
}
