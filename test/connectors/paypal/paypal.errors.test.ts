import { describe, expect, it } from '@jest/globals';
import {
  actionOf,
  PaypalNotificationRefused,
  PaypalRefusal,
  PaypalUnknown,
} from '../../../connectors/paypal/paypal.errors.js';

const TABLE = {
  RETRY: ['PREVIOUS_REQUEST_IN_PROGRESS', 'ORDER_COMPLETION_IN_PROGRESS'],
  ALREADY_DONE: [
    'ORDER_ALREADY_AUTHORIZED',
    'ORDER_ALREADY_CAPTURED',
    'AUTHORIZATION_ALREADY_CAPTURED',
    'PREVIOUSLY_CAPTURED',
    'PREVIOUSLY_VOIDED',
    'CAPTURE_FULLY_REFUNDED',
    'DUPLICATE_INVOICE_ID',
  ],
  PAYER_MUST_ACT: [
    'ORDER_NOT_APPROVED',
    'PAYER_ACTION_REQUIRED',
    'INSTRUMENT_DECLINED',
    'REDIRECT_PAYER_FOR_ALTERNATE_FUNDING',
  ],
  FINAL: [
    'PAYER_CANNOT_PAY',
    'PAYER_ACCOUNT_LOCKED_OR_CLOSED',
    'PAYER_ACCOUNT_RESTRICTED',
    'TRANSACTION_REFUSED',
    'TRANSACTION_LIMIT_EXCEEDED',
    'COMPLIANCE_VIOLATION',
    'AUTHORIZATION_VOIDED',
    'AUTHORIZATION_EXPIRED',
    'AUTHORIZATION_DENIED',
    'MAX_CAPTURE_AMOUNT_EXCEEDED',
    'AUTH_CAPTURE_CURRENCY_MISMATCH',
    'PAYEE_FX_RATE_ID_EXPIRED',
    'INVALID_FX_RATE_ID',
    'REFUND_AMOUNT_EXCEEDED',
    'REFUND_TIME_LIMIT_EXCEEDED',
    'REFUND_NOT_ALLOWED',
    'PARTIAL_REFUND_NOT_ALLOWED',
    'MAX_NUMBER_OF_REFUNDS_EXCEEDED',
    'REFUND_FAILED_INSUFFICIENT_FUNDS',
    'PENDING_CAPTURE',
    'TRANSACTION_DISPUTED',
    'REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK',
  ],
  OUR_BUG: [
    'DECIMAL_PRECISION',
    'DECIMALS_NOT_SUPPORTED',
    'CURRENCY_MISMATCH',
    'MALFORMED_REQUEST_JSON',
    'INVALID_PARAMETER_SYNTAX',
    'PAYPAL_REQUEST_ID_REQUIRED',
  ],
};

describe('What to do after a refusal', () => {
  it.each(Object.entries(TABLE).flatMap(([action, issues]) => issues.map((issue) => [issue, action])))(
    'is decided by the issue, not the status: %s is %s',
    (issue, action) => {
      // Most come with 422; where PayPal uses 400 or 403 the same issue means the same.
      expect(actionOf(422, issue ?? '')).toBe(action);
    },
  );

  it('keeps to the issue where the status speaks against it', () => {
    expect(actionOf(400, 'INSTRUMENT_DECLINED')).toBe('PAYER_MUST_ACT');
    expect(actionOf(409, 'ORDER_ALREADY_AUTHORIZED')).toBe('ALREADY_DONE');
  });

  it.each([
    [400, 'OUR_BUG'],
    [401, 'RETRY'],
    [403, 'OUR_BUG'],
    [404, 'FINAL'],
    [408, 'RETRY'],
    [409, 'RETRY'],
    [415, 'OUR_BUG'],
    [422, 'FINAL'],
    [429, 'RETRY'],
  ])('goes by the status %i for an issue that is not in the table', (status, action) => {
    expect(actionOf(status, 'AN_ISSUE_OF_NEXT_YEAR')).toBe(action);
  });
});

describe('The errors', () => {
  it('name what support asks for, and keep the cause', () => {
    expect(new PaypalRefusal('INSTRUMENT_DECLINED', 'PAYER_MUST_ACT', 'abc').message).toContain('abc');
    const cause = new Error('socket hang up');
    expect(new PaypalUnknown(cause)).toMatchObject({ cause, message: expect.stringContaining('socket hang up') });
    expect(new PaypalUnknown('HTTP 502').message).toContain('HTTP 502');
  });

  it('ask for a repetition only of a notification that could not be checked', () => {
    expect(new PaypalNotificationRefused('CERTIFICATE_UNAVAILABLE').transient).toBe(true);
    expect(new PaypalNotificationRefused('SIGNATURE_WRONG').transient).toBe(false);
  });
});
