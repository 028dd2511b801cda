import { describe, expect, it } from '@jest/globals';
import { actionOf, canonicalCode } from '../../../connectors/wechat-pay/wechat-pay.errors.js';

describe('actionOf', () => {
  it.each([
    [
      'RETRY',
      [
        'RATE_LIMITED',
        'RATELIMIT_EXCEED',
        'RATELIMIT_EXCEEDED',
        'FREQUENCY_LIMITED',
        'FREQUENCY_LIMIT_EXCEED',
        'NOT_ENOUGH',
        'NOTENOUGH',
      ],
    ],
    ['ALREADY_DONE', ['ORDERPAID', 'ORDER_PAID']],
    ['PAYER_MUST_ACT', ['USERPAYING', 'AUTH_CODE_INVALID', 'AUTH_CODE_EXPIRED']],
    [
      'FINAL',
      [
        'ORDER_NOT_EXIST',
        'ORDERNOTEXIST',
        'ORDER_CLOSED',
        'ORDERCLOSED',
        'RESOURCE_NOT_EXISTS',
        'USER_ACCOUNT_ABNORMAL',
        'TRADE_ERROR',
        'RULE_LIMIT',
      ],
    ],
    [
      'FINAL',
      [
        'CODE_INVALID',
        'CODE_EXPIRED',
        'ORDER_ALREADY_PAID',
        'ORDER_BEING_PAID',
        'AMOUNT_MISMATCH',
        'PAYMENT_EXPIRED',
        'PAYMENT_NOT_EXIST',
      ],
    ],
    [
      'OUR_BUG',
      [
        'PARAM_ERROR',
        'INVALID_REQUEST',
        'SIGN_ERROR',
        'NO_AUTH',
        'MCH_NOT_EXISTS',
        'APPID_MCHID_NOT_MATCH',
        'OUT_TRADE_NO_USED',
        'PAYMENT_REQUEST_ID_USED',
      ],
    ],
    [null, ['SYSTEM_ERROR', 'SYSTEMERROR', 'BANKERROR', 'BANK_ERROR', 'ACCEPTED']],
  ])('is %s for %j', (action, codes) => {
    for (const code of codes) expect([code, actionOf(code)]).toEqual([code, action]);
  });

  it('takes a code it does not know neither for a yes nor for a no', () => {
    expect(actionOf('A_CODE_OF_TOMORROW')).toBe('OUR_BUG');
    expect(actionOf('constructor')).toBe('OUR_BUG');
  });
});

describe('canonicalCode', () => {
  it('gives one spelling to a code and leaves others alone', () => {
    expect(canonicalCode('ORDER_PAID')).toBe('ORDERPAID');
    expect(canonicalCode('A_CODE_OF_TOMORROW')).toBe('A_CODE_OF_TOMORROW');
    expect(canonicalCode('toString')).toBe('toString');
  });
});
