import type { Legs } from '../payment/payment.repository.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';

/**
 * Writes down that the network is asked from now on; or, when the payer has stood at the counter for too long, that it
 * never is.
 * @returns the event that says so; null where it is not asked
 */
export function submit({ payment, acceptance }: Legs, now: Date): PaymentEvent | null {
  if (now >= payment.payBy) {
    acceptance.refused();
    payment.reason = 'TIMED_OUT';
    return null;
  }
  acceptance.submitted(now);
  return payment.record('SUBMITTED', now);
}
