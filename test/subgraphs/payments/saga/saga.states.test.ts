import { describe, expect, it } from '@jest/globals';
import { acceptanceStatuses } from '../../../../subgraphs/payments/acceptance/acceptance.states.js';
import { authorizationStatuses } from '../../../../subgraphs/payments/authorization/authorization.states.js';
import { paymentStatuses } from '../../../../subgraphs/payments/payment/payment.states.js';
import {
  backOff,
  endedBy,
  MOVED,
  movedTo,
  nextStep,
  OVER,
  POLL,
} from '../../../../subgraphs/payments/saga/saga.states.js';

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

  it.each([
    ['REQUESTED', ['AUTHORIZE', 'AUTHORIZE', 'AUTHORIZE', 'AUTHORIZE']],
    ['HELD', ['SUBMIT', 'INQUIRE', 'CAPTURE', 'VOID']],
    ['CAPTURED', ['NOTHING', 'NOTHING', 'NOTHING', 'NOTHING']],
    ['VOIDED', ['NOTHING', 'NOTHING', 'NOTHING', 'NOTHING']],
    ['DECLINED', ['NOTHING', 'NOTHING', 'NOTHING', 'NOTHING']],
  ] as const)('follows from both legs while a payment is at work: the wallet leg is %s', (authorization, steps) => {
    for (const payment of ['PROCESSING', 'PAID'] as const)
      expect(acceptanceStatuses.map((acceptance) => nextStep(payment, authorization, acceptance))).toEqual(steps);
  });

  it('is taken at once after one that moved on, later after one that waits, never after the last', () => {
    const known = { left: 'by the step' };
    expect([MOVED, movedTo(null), movedTo(known)]).toEqual([
      { kind: 'MOVED', known: null },
      { kind: 'MOVED', known: null },
      { kind: 'MOVED', known },
    ]);
    expect([OVER, endedBy(false), endedBy(true)]).toEqual([
      { kind: 'OVER', released: false },
      { kind: 'OVER', released: false },
      { kind: 'OVER', released: true },
    ]);
    expect(POLL).toEqual({ kind: 'WAIT', ms: 1_000, failed: false, unclear: false });
    expect(backOff(0)).toMatchObject({ kind: 'WAIT', failed: true, unclear: true });
    expect(backOff(0, false)).toMatchObject({ kind: 'WAIT', failed: true, unclear: false });
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
