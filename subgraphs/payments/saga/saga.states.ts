import type { AcceptanceStatus } from '../acceptance/acceptance.states.js';
import type { AuthorizationStatus } from '../authorization/authorization.states.js';
import type { PaymentStatus } from '../payment/payment.states.js';

/** What the saga does next for a payment. NOTHING: it is over, or a person must decide. */
export type SagaStep = 'AUTHORIZE' | 'SUBMIT' | 'INQUIRE' | 'CAPTURE' | 'VOID' | 'NOTHING';

/**
 * The next step follows from what is written, and from nothing else: so a process that was killed between any two
 * lines is continued by the next one. The hold is given free only after the network's definite no (M10).
 */
export function nextStep(
  payment: PaymentStatus,
  authorization: AuthorizationStatus,
  acceptance: AcceptanceStatus,
): SagaStep {
  if (payment !== 'PROCESSING' && payment !== 'PAID') return 'NOTHING';
  if (authorization === 'REQUESTED') return 'AUTHORIZE';
  if (authorization !== 'HELD') return 'NOTHING';
  const byAcceptance = { PREPARED: 'SUBMIT', SUBMITTED: 'INQUIRE', ACCEPTED: 'CAPTURE', REFUSED: 'VOID' } as const;
  return byAcceptance[acceptance];
}

/**
 * How a step ended: the state moved on (to what is known of it, or to what must be read), there is nothing more to do
 * (and its lease may have ended with it), or someone must look again after a while. `unclear`: something was asked for
 * and nobody knows what became of it.
 */
export type Progress<Known> =
  | { readonly kind: 'MOVED'; readonly known: Known | null }
  | { readonly kind: 'OVER'; readonly released: boolean }
  | { readonly kind: 'WAIT'; readonly ms: number; readonly failed: boolean; readonly unclear: boolean };

type Wait = Extract<Progress<never>, { kind: 'WAIT' }>;

export const MOVED: Progress<never> = { kind: 'MOVED', known: null };
export const OVER: Progress<never> = { kind: 'OVER', released: false };

/** What a committed step has left, or MOVED where another process was faster: the next step need not read it again. */
export function movedTo<Known>(known: Known | null): Progress<Known> {
  return { kind: 'MOVED', known };
}

/** The same for the last step, whose change ended the lease too. */
export function endedBy(ended: boolean): Progress<never> {
  return { kind: 'OVER', released: ended };
}

/** The other side is at work: ask again in a second. */
export const POLL: Progress<never> = { kind: 'WAIT', ms: 1_000, failed: false, unclear: false };

/**
 * Waits that double from a quarter of a second to a minute, each with jitter, so that many do not come back at once.
 * @param unclear false only where it is certain that nothing asked for just now can still be done
 */
export function backOff(attempt: number, unclear = true): Wait {
  const longest = Math.min(60_000, 250 * 2 ** Math.min(attempt, 10));
  return { kind: 'WAIT', ms: Math.round(longest / 2 + (Math.random() * longest) / 2), failed: true, unclear };
}
