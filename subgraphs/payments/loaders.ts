import type { EntityManager } from '@mikro-orm/postgresql';
import type { MerchantId, PaymentEventId, PaymentId, TravelerId } from '../kernel/id.js';
import { manyByKey, oneByKey, pagesByKey } from '../kernel/loader.js';
import { Payment } from './payment/payment.entity.js';
import type { HistoryQuery, PaymentService } from './payment/payment.service.js';
import { PaymentEvent } from './payment/payment-event.entity.js';
import { Refund } from './refund/refund.entity.js';

/** The reads of one request, each kind gathered into one statement. */
export function createLoaders(em: EntityManager, payments: PaymentService) {
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
    paymentsOfTraveler: pagesByKey((ids: readonly TravelerId[], query: HistoryQuery) =>
      payments.pagesOfTravelers(ids, query),
    ),
    paymentsOfMerchant: pagesByKey((ids: readonly MerchantId[], query: HistoryQuery) =>
      payments.pagesOfMerchants(ids, query),
    ),
  };
}

export type PaymentsLoaders = ReturnType<typeof createLoaders>;
