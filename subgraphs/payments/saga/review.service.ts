import type { EntityManager } from '@mikro-orm/postgresql';
import { transaction } from '../../kernel/database.js';
import type { PaymentId } from '../../kernel/id.js';
import type { Payment } from '../payment/payment.entity.js';
import { lockPayment } from '../payment/payment.repository.js';
import { announce } from '../payment/payment-event.repository.js';
import { OVER, type Progress } from './saga.states.js';

/** Stops the saga for a payment: what happened outside contradicts what we know, and a person must decide. */
export async function sendToReview(em: EntityManager, id: PaymentId, reason: string, now: Date): Promise<Progress> {
  await transaction(em, async (tx) => {
    await contradict(tx, await lockPayment(tx, id), reason, now);
  });
  return OVER;
}

/** The same inside a transaction that holds the payment's lock. A payment that is over stays so: see the log. */
export async function contradict(em: EntityManager, payment: Payment, reason: string, now: Date): Promise<void> {
  if (payment.status === 'IN_REVIEW' || payment.isFinal()) return;
  payment.needsReview(reason);
  await announce(em, payment, payment.record('IN_REVIEW', now));
}
