import { describe, expect, it } from '@jest/globals';
import { answers } from '../../../connectors/paypal/paypal.answer.js';
import { usd } from './counterpart.js';

const amount = { currency_code: 'USD', value: '1.00' };

describe('Answers', () => {
  it('that wait or failed keep PayPal’s reason', () => {
    const status_details = { reason: 'PENDING_REVIEW' };
    expect(answers.authorization.parse({ id: 'A', status: 'PENDING', amount, status_details })).toEqual({
      id: 'A',
      status: 'PENDING',
      amount: usd('1.00'),
      expiresAt: null,
      reason: 'PENDING_REVIEW',
    });
    expect(answers.capture.parse({ id: 'C', status: 'PENDING', amount, status_details })).toMatchObject({
      fee: null,
      reason: 'PENDING_REVIEW',
    });
    expect(answers.refund.parse({ id: 'R', status: 'PENDING', amount, status_details: { reason: 'ECHECK' } })).toEqual({
      id: 'R',
      status: 'PENDING',
      amount: usd('1.00'),
      reason: 'ECHECK',
    });
  });

  it('may hold fields that we do not know, and moments with an offset', () => {
    const wire = { id: 'A', status: 'CREATED', amount, expiration_time: '2026-12-21T12:00:00+08:00', novelty: [1] };
    expect(answers.authorization.parse(wire).expiresAt).toEqual(new Date('2026-12-21T04:00:00Z'));
  });

  it('about an order name its hold even where PayPal authorized it while creating it', () => {
    const authorizations = [{ id: 'A', status: 'CREATED', amount }];
    const wire = { id: 'O', status: 'COMPLETED', purchase_units: [{ payments: { authorizations } }] };
    expect(answers.order.parse(wire)).toMatchObject({ authorization: { id: 'A' }, captures: [] });
    expect(answers.order.parse({ id: 'O', status: 'CREATED' })).toMatchObject({ authorization: null });
  });
});
