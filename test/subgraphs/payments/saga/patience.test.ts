import { describe, expect, it } from '@jest/globals';
import { after, DAY, HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import { Acceptance } from '../../../../subgraphs/payments/acceptance/acceptance.entity.js';
import { Authorization } from '../../../../subgraphs/payments/authorization/authorization.entity.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { mayBeUnderWay, OVERDUE_MS, reasonToGiveUp } from '../../../../subgraphs/payments/saga/patience.js';
import { openCheckout } from '../../../support/payment.js';

const born = new Date('2026-06-01T12:00:00Z');
const STEPS = ['AUTHORIZE', 'SUBMIT', 'INQUIRE', 'CAPTURE', 'VOID'] as const;
type Step = (typeof STEPS)[number];

/** A payment that has stood before this step since it was born, after so many attempts. */
function before(step: Step, attempt: number, holdEnds: Date | null = null) {
  const payment = Payment.of(openCheckout(undefined, born), born);
  const [authorization, acceptance] = [Authorization.requested(payment.id), Acceptance.prepared(payment.id)];
  if (step !== 'AUTHORIZE') authorization.held('order', 'hold', holdEnds);
  if (step !== 'AUTHORIZE' && step !== 'SUBMIT') acceptance.submitted(born);
  if (step === 'VOID') acceptance.refused();
  if (step === 'CAPTURE') {
    acceptance.accepted('n', 't', born);
    payment.paid(born);
  }
  payment.attempt = attempt;
  return { payment, authorization, acceptance };
}

describe('The patience of the saga', () => {
  it.each([
    ['AUTHORIZE', DAY, 'WALLET_OUTCOME_UNKNOWN'],
    ['INQUIRE', DAY, 'NETWORK_OUTCOME_UNKNOWN'],
    ['CAPTURE', 2 * DAY, 'CAPTURE_OUTCOME_UNKNOWN'],
    ['VOID', 7 * DAY, 'VOID_OUTCOME_UNKNOWN'],
  ] as const)('before %s ends with a reason to act on, and not a moment sooner', (step, ms, reason) => {
    expect(reasonToGiveUp(before(step, 99), true, after(born, ms))).toBeNull();
    expect(reasonToGiveUp(before(step, 99), true, after(born, ms + 1))).toBe(reason);
  });

  it.each(STEPS)('before %s is not over by the clock alone: we may have been off ourselves', (step) => {
    expect(reasonToGiveUp(before(step, 10), true, after(born, 30 * DAY))).toBeNull();
  });

  it('ends also with a network that says for a day that it is at work', () => {
    expect(reasonToGiveUp(before('INQUIRE', 0), false, after(born, DAY + 1))).toBe('NETWORK_OUTCOME_UNKNOWN');
  });

  it.each(['INQUIRE', 'CAPTURE'] as const)('before %s ends a day before the hold does', (step) => {
    const ends = after(born, DAY + HOUR);
    expect(reasonToGiveUp(before(step, 0, ends), true, after(born, HOUR))).toBeNull();
    expect(reasonToGiveUp(before(step, 0, ends), true, after(born, HOUR + 1))).toBe('AUTHORIZATION_EXPIRING');
  });

  it.each(['SUBMIT', 'VOID'] as const)('before %s does not care for the end of the hold', (step) => {
    expect(reasonToGiveUp(before(step, 0, born), true, after(born, MINUTE))).toBeNull();
  });

  it('lasts half a minute for a request that nobody answered, and not at all for the first one', () => {
    expect(mayBeUnderWay(0, born, born)).toBe(false);
    expect(mayBeUnderWay(1, born, after(born, MINUTE / 2 - 1))).toBe(true);
    expect(mayBeUnderWay(1, born, after(born, MINUTE / 2))).toBe(false);
  });

  it.each(STEPS)('wakes somebody long before %s is given up', (step) => {
    expect(OVERDUE_MS[step]).toBeLessThanOrEqual(HOUR);
    expect(reasonToGiveUp(before(step, 99), true, after(born, OVERDUE_MS[step]))).toBeNull();
  });
});
