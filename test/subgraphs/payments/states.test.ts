import { describe, expect, it } from '@jest/globals';
import { isFinal } from '../../../subgraphs/kernel/states.js';
import { acceptanceStatuses, acceptanceTransitions } from '../../../subgraphs/payments/acceptance/acceptance.states.js';
import {
  authorizationStatuses,
  authorizationTransitions,
} from '../../../subgraphs/payments/authorization/authorization.states.js';
import { checkoutTransitions } from '../../../subgraphs/payments/checkout/checkout.states.js';
import { holdTransitions } from '../../../subgraphs/payments/ledger/hold.states.js';
import { paymentStatuses, paymentTransitions } from '../../../subgraphs/payments/payment/payment.states.js';
import { refundLegTransitions, refundTransitions } from '../../../subgraphs/payments/refund/refund.states.js';
import { backOff, nextStep } from '../../../subgraphs/payments/saga/saga.states.js';
import { expectOnly } from '../../support/transitions.js';

describe('The states', () => {
  it('let a checkout end once', () => {
    expectOnly(checkoutTransitions, ['OPEN>CONFIRMED', 'OPEN>EXPIRED', 'OPEN>CANCELLED']);
  });

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

  it('resolve a hold once (M3)', () => {
    expectOnly(holdTransitions, ['PENDING>POSTED', 'PENDING>VOIDED']);
  });

  it('capture or void only what is held', () => {
    expectOnly(authorizationTransitions, ['REQUESTED>HELD', 'REQUESTED>DECLINED', 'HELD>CAPTURED', 'HELD>VOIDED']);
  });

  it('accept only what was submitted', () => {
    expectOnly(acceptanceTransitions, [
      'PREPARED>SUBMITTED',
      'PREPARED>REFUSED',
      'SUBMITTED>ACCEPTED',
      'SUBMITTED>REFUSED',
    ]);
  });

  it('take a refund from the merchant before giving it to the payer', () => {
    expectOnly(refundLegTransitions, ['REQUESTED>TAKEN', 'REQUESTED>REFUSED', 'TAKEN>GIVEN']);
    expectOnly(refundTransitions, ['PROCESSING>COMPLETED', 'PROCESSING>FAILED']);
  });
});

describe('The next step of the saga', () => {
  const all = paymentStatuses.flatMap((payment) =>
    authorizationStatuses.flatMap((authorization) =>
      acceptanceStatuses.map((acceptance) => ({ payment, authorization, acceptance })),
    ),
  );

  it.each(all)('gives the hold free only after a definite no: $payment $authorization $acceptance (M10)', (state) => {
    const next = nextStep(state.payment, state.authorization, state.acceptance);
    if (next === 'VOID') expect(state).toMatchObject({ authorization: 'HELD', acceptance: 'REFUSED' });
    if (next === 'CAPTURE') expect(state).toMatchObject({ authorization: 'HELD', acceptance: 'ACCEPTED' });
    if (next === 'SUBMIT') expect(state).toMatchObject({ authorization: 'HELD', acceptance: 'PREPARED' });
  });

  it('does nothing for a payment that is over or in review', () => {
    for (const payment of ['COMPLETED', 'DECLINED', 'FAILED', 'IN_REVIEW'] as const)
      for (const { authorization, acceptance } of all)
        expect(nextStep(payment, authorization, acceptance)).toBe('NOTHING');
  });

  it('asks the network again whatever may have become of the first request', () => {
    expect(nextStep('PROCESSING', 'HELD', 'SUBMITTED')).toBe('INQUIRE');
  });

  it('waits longer after each failure, up to a minute, never twice the same', () => {
    const waits = Array.from({ length: 20 }, (_, attempt) => backOff(attempt)).map((each) =>
      each.kind === 'WAIT' ? each.ms : 0,
    );
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(
      new Set(Array.from({ length: 50 }, () => backOff(20)).map((each) => JSON.stringify(each))).size,
    ).toBeGreaterThan(10);
  });
});
