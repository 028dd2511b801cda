import { DAY, HOUR, MINUTE, SECOND } from '../../kernel/clock.js';
import type { Legs } from '../payment/payment.repository.js';
import { backOff, nextStep, type Progress, type SagaStep } from './saga.states.js';

export type OpenStep = Exclude<SagaStep, 'NOTHING'>;

/** After this, a payment that stands before a step is overdue, and counted as such: somebody should look. */
export const OVERDUE_MS: Readonly<Record<OpenStep, number>> = {
  AUTHORIZE: 2 * MINUTE,
  SUBMIT: MINUTE,
  INQUIRE: 5 * MINUTE,
  CAPTURE: 10 * MINUTE,
  VOID: HOUR,
};

/**
 * After this, a person must decide, and why. SUBMIT needs none: what was not asked in time is refused by the clock.
 * CAPTURE ends while the wallet still honors its hold (PayPal: three days).
 */
const HARD: Readonly<Record<OpenStep, { readonly ms: number; readonly reason: string } | null>> = {
  AUTHORIZE: { ms: DAY, reason: 'WALLET_OUTCOME_UNKNOWN' },
  SUBMIT: null,
  INQUIRE: { ms: DAY, reason: 'NETWORK_OUTCOME_UNKNOWN' },
  CAPTURE: { ms: 2 * DAY, reason: 'CAPTURE_OUTCOME_UNKNOWN' },
  VOID: { ms: 7 * DAY, reason: 'VOID_OUTCOME_UNKNOWN' },
};

/** The hold is about to end while its step is open: a person has this long to act. */
const BEFORE_EXPIRY_MS = DAY;
/** The clock alone proves nothing: we may have been off ourselves. */
const MANY_ATTEMPTS = 10;

/** Since when a payment stands before its step. */
function beganAt(step: OpenStep, { payment, acceptance }: Legs): Date {
  if (step === 'INQUIRE' || step === 'VOID') return acceptance.submittedAt ?? payment.payBy;
  // Paid is only what stands before CAPTURE.
  return payment.paidAt ?? payment.createdAt;
}

/**
 * Why a payment whose step has just been without an answer again is a person's from now on; null while it may go on.
 * @param failed whether that was no answer at all, and not that somebody is at work
 */
export function reasonToGiveUp(legs: Legs, failed: boolean, now: Date): string | null {
  const { payment, authorization, acceptance } = legs;
  const step = nextStep(payment.status, authorization.status, acceptance.status);
  if (step === 'NOTHING') return null;
  const isWaiting = step === 'INQUIRE' || step === 'CAPTURE';
  const endsMs = authorization.expiresAt ? authorization.expiresAt.getTime() - now.getTime() : Number.POSITIVE_INFINITY;
  if (isWaiting && endsMs < BEFORE_EXPIRY_MS) return 'AUTHORIZATION_EXPIRING';
  const hard = HARD[step];
  if (!hard || now.getTime() - beganAt(step, legs).getTime() <= hard.ms) return null;
  return failed && payment.attempt <= MANY_ATTEMPTS ? null : hard.reason;
}

/** A request whose answer was not heard may still be on its way, or at work there; nobody believes so after this. */
export const ON_ITS_WAY_MS = 30 * SECOND;

/** What was asked for by the step before which a payment or a refund stands. */
interface Asked {
  /**
   * By when the last request whose answer was not heard had been sent; null where every answer was heard. Not the
   * first one: each may be the one that arrives late. A refused one adds nothing. A worker that died, or lost its lease,
   * may have asked until another took its place. Cleared by the answer that leads to another step.
   */
  readonly unclearSince?: Date | null;
}

/** Whether something that was asked for before may still be done: the refusal of a repetition proves nothing then. */
export function mayBeUnderWay({ unclearSince }: Asked, now: Date): boolean {
  return !!unclearSince && now.getTime() - unclearSince.getTime() < ON_ITS_WAY_MS;
}

/** After a refusal that is not believed: as after any failure, but no later than when the next one can be believed. */
export function askAgain({ attempt, unclearSince }: Asked & { readonly attempt: number }, now: Date): Progress<never> {
  const wait = backOff(attempt, false);
  const leftMs = unclearSince ? unclearSince.getTime() + ON_ITS_WAY_MS - now.getTime() : 0;
  // Those of a process that died were taken over together: they need not all come back together.
  return { ...wait, ms: Math.min(wait.ms, Math.max(0, leftMs) + Math.round(Math.random() * SECOND)) };
}

/** Whether another worker asked too, or may have, after this was read: a no to us is not a no to that one. */
export function isAskedElsewhere(read: Asked, locked: Asked): boolean {
  return read.unclearSince?.getTime() !== locked.unclearSince?.getTime();
}
