import type { EntityManager } from '@mikro-orm/postgresql';
import { faultPoint } from '../../kernel/fault.js';
import type { PaymentId } from '../../kernel/id.js';
import { changeLegs, type Legs, readLegs } from '../payment/payment.repository.js';
import { isAskedElsewhere } from './patience.js';
import { OVER, type Progress } from './saga.states.js';

/**
 * Stops the saga for a payment: what happened outside contradicts what we know, and a person must decide. One that is over
 * stays so, without an event: see the log.
 * @param refused what a side's refusal came after, where it is one: it is no matter if another worker has asked since
 */
export async function sendToReview(
  em: EntityManager,
  id: PaymentId,
  reason: string,
  now: Date,
  refused: Legs | null = null,
): Promise<Progress<never>> {
  for (let written: Legs | null = null; !written; ) {
    const legs = await readLegs(em.fork(), id);
    if (legs.payment.isOver() || (refused && isAskedElsewhere(refused.payment, legs.payment))) return OVER;
    written = await changeLegs(em.fork(), legs, ({ payment }) => {
      payment.needsReview(reason);
      const event = payment.record('IN_REVIEW', now);
      faultPoint('payment.review.before-commit');
      return { events: [event], byRefusal: refused !== null };
    });
  }
  faultPoint('payment.review.after-commit');
  return OVER;
}
