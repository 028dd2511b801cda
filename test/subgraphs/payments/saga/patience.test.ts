import { describe, expect, it } from '@jest/globals';
import { after, DAY, HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import { Acceptance } from '../../../../subgraphs/payments/acceptance/acceptance.entity.js';
import { Authorization } from '../../../../subgraphs/payments/authorization/authorization.entity.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import {
  askAgain,
  isAskedElsewhere,
  mayBeUnderWay,
  OVERDUE_MS,
  reasonToGiveUp,
} from '../../../../subgraphs/payments/saga/patience.js';
import { openCheckout } from '../../../support/payment.js';

const born = new Date('2026-06-01T12:00:00Z');
const STEPS = ['AUTHORIZE', 'SUBMIT', 'INQUIRE', 'CAPTURE', 'VOID'] as const;
type Step = (typeof STEPS)[number];

/** A payment that was born then, has stood before this step since `began`, and after so many attempts. */
function before(step: Step, attempt: number, holdEnds: Date | null = null, began = born) {
  const payment = Payment.of(openCheckout(undefined, born), born);
  const [authorization, acceptance] = [Authorization.requested(payment.id), Acceptance.prepared(payment.id)];
  if (step !== 'AUTHORIZE') authorization.held('order', 'hold', holdEnds);
  if (step !== 'AUTHORIZE' && step !== 'SUBMIT') acceptance.submitted(began);
  if (step === 'VOID') acceptance.refused();
  if (step === 'CAPTURE') {
    acceptance.accepted('n', 't', began);
    payment.paid(began);
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

  it.each([
    ['INQUIRE', DAY],
    ['VOID', 7 * DAY],
    ['CAPTURE', 2 * DAY],
  ] as const)('before %s begins with the step before it, not with the payment', (step, ms) => {
    const began = after(born, HOUR);
    const legs = before(step, 99, null, began);
    expect(reasonToGiveUp(legs, true, after(began, ms))).toBeNull();
    expect(reasonToGiveUp(legs, true, after(began, ms + 1))).not.toBeNull();
  });

  it('before VOID begins when the network can be asked no more, where it never was', () => {
    const payment = Payment.of(openCheckout(undefined, born), born);
    const [authorization, acceptance] = [Authorization.requested(payment.id), Acceptance.prepared(payment.id)];
    authorization.held('order', 'hold', null);
    acceptance.refused();
    payment.attempt = 99;
    const legs = { payment, authorization, acceptance };
    expect(payment.payBy.getTime()).toBeGreaterThan(born.getTime());
    expect(reasonToGiveUp(legs, true, after(payment.payBy, 7 * DAY))).toBeNull();
    expect(reasonToGiveUp(legs, true, after(payment.payBy, 7 * DAY + 1))).toBe('VOID_OUTCOME_UNKNOWN');
  });

  it('is no matter where nothing is left to do', () => {
    const legs = before('CAPTURE', 99, born);
    legs.payment.completed(born);
    expect(reasonToGiveUp(legs, true, after(born, 30 * DAY))).toBeNull();
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
    expect(mayBeUnderWay({ unclearSince: null }, born)).toBe(false);
    expect(mayBeUnderWay({ unclearSince: born }, after(born, MINUTE / 2 - 1))).toBe(true);
    expect(mayBeUnderWay({ unclearSince: born }, after(born, MINUTE / 2))).toBe(false);
  });

  it.each([
    ['AUTHORIZED', null],
    ['SUBMITTED', born],
    ['PAID', null],
    ['COMPLETED', null],
    ['DECLINED', null],
    ['FAILED', null],
    ['IN_REVIEW', born],
  ] as const)('knows after %s whether a request may be under way: since %s', (type, since) => {
    const { payment } = before('AUTHORIZE', 1);
    payment.unclearSince = born;
    payment.record(type, after(born, 1));
    expect(payment.unclearSince).toEqual(since);
  });

  it.each([
    ['as after any failure', 0, 1_000, 125, 250],
    ['right when it can be believed', 5, 29_500, 500, 1_500],
    ['as soon as it can be believed, and not all at once', 20, 10_000, 20_000, 21_000],
    ['soon, when it could be believed meanwhile', 20, 40_000, 0, 1_000],
  ] as const)('lets ask again after a refusal that is not believed %s', (_, attempt, agoMs, least, most) => {
    const waits = Array.from({ length: 50 }, () => askAgain({ attempt, unclearSince: born }, after(born, agoMs)));
    for (const wait of waits) {
      expect(wait).toMatchObject({ kind: 'WAIT', failed: true, unclear: false });
      const ms = wait.kind === 'WAIT' ? wait.ms : Number.NaN;
      expect(ms).toBeGreaterThanOrEqual(least);
      expect(ms).toBeLessThanOrEqual(most);
    }
    expect(new Set(waits.map((wait) => JSON.stringify(wait))).size).toBeGreaterThan(5);
  });

  it.each([
    [null, null, false],
    [born, after(born, 0), false],
    [null, born, true],
    [born, after(born, 1), true],
    [born, null, true],
  ])('hears no no for another worker: read %s, found %s', (read, found, isElsewhere) => {
    expect(isAskedElsewhere({ unclearSince: read }, { unclearSince: found })).toBe(isElsewhere);
  });

  it.each(STEPS)('wakes somebody long before %s is given up', (step) => {
    expect(OVERDUE_MS[step]).toBeLessThanOrEqual(HOUR);
    expect(OVERDUE_MS[step]).toBeGreaterThanOrEqual(MINUTE);
    expect(reasonToGiveUp(before(step, 99), true, after(born, OVERDUE_MS[step]))).toBeNull();
  });
});
