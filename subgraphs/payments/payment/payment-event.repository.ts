import type { EntityManager } from '@mikro-orm/postgresql';
import { type Condition, insertion, type Sql } from '../../kernel/database.rows.js';
import { publication } from '../../kernel/event/outbox.js';
import type { Payment } from './payment.entity.js';
import type { PaymentEvent } from './payment-event.entity.js';

/**
 * Stores events, in their order, and hands them to the outbox: for the payer, the merchant, the partners. As pieces of a
 * statement that also writes what happened.
 */
export function announcements(
  em: EntityManager,
  payment: Payment,
  events: readonly PaymentEvent[],
  when: Condition = null,
): Sql[] {
  if (events.length === 0) return [];
  const { id: paymentId, merchantId, codeId, partnerIds } = payment;
  const subjects = [
    `payment.${paymentId}`,
    `merchant.${merchantId}`,
    ...partnerIds.map((partnerId) => `partner.${partnerId}`),
  ];
  const published = events.map(({ id, type }) => ({
    id,
    subjects,
    payload: { __typename: 'PaymentEventDelivery', id, type, paymentId, merchantId, ...(codeId && { codeId }) },
  }));
  return [...events.map((event) => insertion(em, event, when)), publication(published, when)];
}
