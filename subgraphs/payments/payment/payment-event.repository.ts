import type { EntityManager } from '@mikro-orm/postgresql';
import { executeTogether, insertion, type Sql } from '../../kernel/database.rows.js';
import { publication } from '../../kernel/event/outbox.js';
import type { Payment } from './payment.entity.js';
import type { PaymentEvent } from './payment-event.entity.js';

/** Stores an event and hands it to the outbox, in the transaction of `em`: for the payer, the merchant, the partners. */
export async function announce(em: EntityManager, payment: Payment, event: PaymentEvent): Promise<void> {
  await executeTogether(em, announcement(em, payment, event));
}

/** The same as pieces of a statement that also writes what happened. */
export function announcement(em: EntityManager, payment: Payment, event: PaymentEvent): Sql[] {
  const audiences = [`payment.${payment.id}`, `merchant.${payment.merchantId}`];
  for (const partnerId of payment.partnerIds) audiences.push(`partner.${partnerId}`);
  const published = publication({
    id: event.id,
    subjects: audiences,
    payload: {
      __typename: 'PaymentEventDelivery',
      id: event.id,
      type: event.type,
      paymentId: payment.id,
      merchantId: payment.merchantId,
      ...(payment.codeId && { codeId: payment.codeId }),
    },
  });
  return [insertion(em, event), published];
}
