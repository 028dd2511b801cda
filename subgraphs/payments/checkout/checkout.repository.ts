import type { EntityManager } from '@mikro-orm/postgresql';
import {
  changesOf,
  columnsOf,
  entityIn,
  executeTogether,
  insertion,
  type Snapshot,
  snapshotOf,
} from '../../kernel/database.rows.js';
import type { CheckoutId, TravelerId } from '../../kernel/id.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import type { Payment } from '../payment/payment.entity.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';
import { announcement } from '../payment/payment-event.repository.js';
import { Checkout } from './checkout.entity.js';

/** A checkout whose row is locked, with what the row held then. */
export interface LockedCheckout {
  readonly checkout: Checkout;
  readonly before: Snapshot;
}

/** The checkout where it is that traveler's. Nothing is locked. */
export async function readCheckout(
  em: EntityManager,
  id: CheckoutId,
  travelerId: TravelerId,
): Promise<Checkout | null> {
  return selectCheckout(em, id, travelerId, '');
}

/** The same under its row lock. */
export async function lockCheckout(
  em: EntityManager,
  id: CheckoutId,
  travelerId: TravelerId,
): Promise<LockedCheckout | null> {
  const checkout = await selectCheckout(em, id, travelerId, 'for update');
  return checkout && { checkout, before: snapshotOf(em, checkout) };
}

export async function saveCheckout(em: EntityManager, { checkout, before }: LockedCheckout): Promise<void> {
  await executeTogether(em, [changesOf(em, checkout, before, null)]);
}

export async function insertCheckout(em: EntityManager, checkout: Checkout): Promise<void> {
  await executeTogether(em, [insertion(em, checkout)]);
}

/** Writes a checkout's confirmation and the payment that it becomes, with its legs and its first event, in one statement. */
export async function savePaymentOf(
  em: EntityManager,
  { checkout, before }: LockedCheckout,
  payment: Payment,
  event: PaymentEvent,
): Promise<void> {
  await executeTogether(em, [
    changesOf(em, checkout, before, null),
    insertion(em, payment),
    insertion(em, Authorization.requested(payment.id)),
    insertion(em, Acceptance.prepared(payment.id)),
    ...announcement(em, payment, event),
  ]);
}

async function selectCheckout(
  em: EntityManager,
  id: CheckoutId,
  travelerId: TravelerId,
  lock: '' | 'for update',
): Promise<Checkout | null> {
  const [row] = await em.execute<Record<string, unknown>[]>(
    `select ${columnsOf(em, Checkout, 'checkout')} from checkout where id = ? and traveler_id = ? ${lock}`,
    [id, travelerId],
  );
  return row ? entityIn(em, Checkout, 'checkout', row) : null;
}
