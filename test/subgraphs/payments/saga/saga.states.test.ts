import { describe, expect, it } from '@jest/globals';
import { acceptanceStatuses } from '../../../../subgraphs/payments/acceptance/acceptance.states.js';
import { authorizationStatuses } from '../../../../subgraphs/payments/authorization/authorization.states.js';
import { paymentStatuses } from '../../../../subgraphs/payments/payment/payment.states.js';
import { backOff, nextStep } from '../../../../subgraphs/payments/saga/saga.states.js';

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
