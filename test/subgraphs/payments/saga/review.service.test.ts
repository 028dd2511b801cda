import { describe, expect, it } from '@jest/globals';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { paymentStatuses } from '../../../../subgraphs/payments/payment/payment.states.js';
import { contradict } from '../../../../subgraphs/payments/saga/review.service.js';
import { openCheckout } from '../../../support/payment.js';

const now = new Date('2026-06-01T12:00:00Z');

describe('A contradiction', () => {
  it.each(paymentStatuses)('hands a payment at work to a person, once, and leaves one that is over: %s', (status) => {
    const payment = Object.assign(Payment.of(openCheckout(undefined, now), now), { status, reason: 'BEFORE' });
    const event = contradict(payment, 'NETWORK_AMOUNT_DIFFERS', now);
    if (status === 'PROCESSING' || status === 'PAID') {
      expect(event).toMatchObject({ type: 'IN_REVIEW', status: 'IN_REVIEW', sequence: 1, occurredAt: now });
      expect([payment.status, payment.reason]).toEqual(['IN_REVIEW', 'NETWORK_AMOUNT_DIFFERS']);
    } else {
      expect(event).toBeNull();
      expect([payment.status, payment.reason, payment.eventCount]).toEqual([status, 'BEFORE', 0]);
    }
  });
});
