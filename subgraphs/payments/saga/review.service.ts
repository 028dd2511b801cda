import type { EntityManager } from '@mikro-orm/postgresql';
import { transaction } from '../../kernel/database.js';
import { faultPoint } from '../../kernel/fault.js';
import type { PaymentId } from '../../kernel/id.js';
import type { Payment } from '../payment/payment.entity.js';
import { lockLegs, saveLegs } from '../payment/payment.repository.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';
import { OVER, type Progress } from './saga.states.js';

/** Stops the saga for a payment: what happened outside contradicts what we know, and a person must decide. */
export async function sendToReview(
  em: EntityManager,
  id: PaymentId,
  reason: string,
  now: Date,
): Promise<Progress<never>> {
  await transaction(em, async (tx) => {
    const legs = await lockLegs(tx, id);
    await saveLegs(tx, legs, contradict(legs.payment, reason, now));
    faultPoint('payment.review.before-commit');
  });
  faultPoint('payment.review.after-commit');
  return OVER;
}

/** The same where the payment is locked and saved. A payment that is over stays so, without an event: see the log. */
export function contradict(payment: Payment, reason: string, now: Date): PaymentEvent | null {
  if (payment.status === 'IN_REVIEW' || payment.isFinal()) return null;
  payment.needsReview(reason);
  return payment.record('IN_REVIEW', now);
}
