import type { EntityManager } from '@mikro-orm/postgresql';
import type { PaymentEventId, PaymentId } from '../kernel/id.js';
import { manyByKey, oneByKey } from '../kernel/loader.js';
import { Payment } from './payment/payment.entity.js';
import { PaymentEvent } from './payment/payment-event.entity.js';
import { Refund } from './refund/refund.entity.js';

/** The reads of one request, each kind gathered into one statement. */
export function createLoaders(em: EntityManager) {
  return {
    payment: oneByKey<PaymentId, Payment>(
      (ids) => em.fork().find(Payment, { id: { $in: [...ids] } }),
      (payment) => payment.id,
    ),
    event: oneByKey<PaymentEventId, PaymentEvent>(
      (ids) => em.fork().find(PaymentEvent, { id: { $in: [...ids] } }),
      (event) => event.id,
    ),
    eventsOf: manyByKey<PaymentId, PaymentEvent>(
      (ids) =>
        em.fork().find(PaymentEvent, { paymentId: { $in: [...ids] } }, { orderBy: { paymentId: 1, sequence: 1 } }),
      (event) => event.paymentId,
    ),
    refundsOf: manyByKey<PaymentId, Refund>(
      (ids) => em.fork().find(Refund, { paymentId: { $in: [...ids] } }, { orderBy: { id: 'desc' } }),
      (refund) => refund.paymentId,
    ),
  };
}

export type PaymentsLoaders = ReturnType<typeof createLoaders>;
