import type { EntityManager } from '@mikro-orm/postgresql';
import { transaction } from '../../kernel/database.js';
import type { PaymentId } from '../../kernel/id.js';
import { lockPayment } from '../payment/payment.repository.js';
import { announce } from '../payment/payment-event.repository.js';
import { OVER, type Progress } from './saga.states.js';

/** Stops the saga for a payment: what happened outside contradicts what we know, and a person must decide. */
export async function sendToReview(em: EntityManager, id: PaymentId, reason: string, now: Date): Promise<Progress> {
  await transaction(em, async (tx) => {
    const payment = await lockPayment(tx, id);
    if (payment.status === 'IN_REVIEW' || payment.isFinal()) return;
    payment.needsReview(reason);
    await announce(tx, payment, payment.record('IN_REVIEW', now));
  });
  return OVER;
}
