import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { MerchantId, PaymentId, TravelerId } from '../../kernel/id.js';
import type { PageRequest } from '../../kernel/page.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { Payment } from './payment.entity.js';
import type { PaymentStatus } from './payment.states.js';

/** A payment with its two legs, as they were read together. */
export interface Legs {
  readonly payment: Payment;
  readonly authorization: Authorization;
  readonly acceptance: Acceptance;
}

/** The payment with its legs; nothing is locked. */
export async function readLegs(em: EntityManager, id: PaymentId): Promise<Legs> {
  const payment = await em.findOneOrFail(Payment, id);
  return withLegs(em, payment);
}

/** The same under the payment's row lock: whoever changes a payment or its legs holds this first. */
export async function lockLegs(em: EntityManager, id: PaymentId): Promise<Legs> {
  return withLegs(em, await lockPayment(em, id));
}

export async function lockPayment(em: EntityManager, id: PaymentId): Promise<Payment> {
  return em.findOneOrFail(Payment, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

async function withLegs(em: EntityManager, payment: Payment): Promise<Legs> {
  // One entity manager, one connection: the two reads follow each other.
  const authorization = await em.findOneOrFail(Authorization, payment.id);
  const acceptance = await em.findOneOrFail(Acceptance, payment.id);
  return { payment, authorization, acceptance };
}

export interface PaymentFilter {
  readonly status?: PaymentStatus | null;
}

/** A page of somebody's payments, newest first; one row more than asked tells whether there is more. */
export async function pageOfPayments(
  em: EntityManager,
  owner: { readonly travelerId: TravelerId } | { readonly merchantId: MerchantId },
  filter: PaymentFilter,
  page: PageRequest,
): Promise<Payment[]> {
  const bounds = { ...(page.after && { $lt: page.after }), ...(page.before && { $gt: page.before }) };
  return em.find(
    Payment,
    {
      ...owner,
      ...(filter.status && { status: filter.status }),
      ...(Object.keys(bounds).length > 0 && { id: bounds as never }),
    },
    { orderBy: { id: page.backward ? 'asc' : 'desc' }, limit: page.limit + 1 },
  );
}
