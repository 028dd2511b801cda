import { describe, expect, it } from '@jest/globals';
import { isFinal } from '../../../../subgraphs/kernel/states.js';
import { paymentStatuses, paymentTransitions } from '../../../../subgraphs/payments/payment/payment.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of a payment', () => {
  it('never let a payment fail after the merchant was paid (M7)', () => {
    expectOnly(paymentTransitions, [
      'PROCESSING>PAID',
      'PROCESSING>DECLINED',
      'PROCESSING>FAILED',
      'PROCESSING>IN_REVIEW',
      'PAID>COMPLETED',
      'PAID>IN_REVIEW',
      'IN_REVIEW>PAID',
      'IN_REVIEW>COMPLETED',
      'IN_REVIEW>FAILED',
    ]);
    expect(paymentStatuses.filter((status) => isFinal(paymentTransitions, status))).toEqual([
      'COMPLETED',
      'DECLINED',
      'FAILED',
    ]);
  });
});
