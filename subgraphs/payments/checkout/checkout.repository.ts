import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import {
  changesOf,
  columnsOf,
  commitTogether,
  entityIn,
  executeTogether,
  insertion,
  type Snapshot,
  snapshotOf,
} from '../../kernel/database.rows.js';
import type { CheckoutId, PaymentId, TravelerId } from '../../kernel/id.js';
import { type IdempotentRequest, KEY_CLAIMED, keyClaim } from '../../kernel/idempotency.js';
import { Payment } from '../payment/payment.entity.js';
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
  const [row] = await runStatement<Record<string, unknown>>(em, selectCheckout(em), [id, travelerId]);
  return row ? entityIn(em, Checkout, 'checkout', row) : null;
}

/** The same under its row lock, within the transaction of `em`. */
export async function lockCheckout(
  em: EntityManager,
  id: CheckoutId,
  travelerId: TravelerId,
): Promise<LockedCheckout | null> {
  const [row] = await em.execute<Record<string, unknown>[]>(`${selectCheckout(em)} for update`, [id, travelerId]);
  const checkout = row ? entityIn(em, Checkout, 'checkout', row) : null;
  return checkout && { checkout, before: snapshotOf(em, checkout) };
}

export async function saveCheckout(em: EntityManager, { checkout, before }: LockedCheckout): Promise<void> {
  await executeTogether(em, [changesOf(em, checkout, before, null)]);
}

/** @returns whether it is written now; not where the request's key was used before */
export async function insertCheckout(
  em: EntityManager,
  checkout: Checkout,
  request: IdempotentRequest,
): Promise<boolean> {
  const claim = keyClaim(request, { checkoutId: checkout.id });
  const rows = await commitTogether(em, [claim, insertion(em, checkout, KEY_CLAIMED)], `select from ${KEY_CLAIMED}`);
  return rows.length > 0;
}

/** The payment that a confirmed checkout became: whoever lost a race can follow it. */
export async function paymentOf(em: EntityManager, checkoutId: CheckoutId): Promise<PaymentId> {
  const { id } = await em.findOneOrFail(Payment, { checkoutId }, { fields: ['id'] });
  return id;
}

/** By its id and its traveler. */
export function selectCheckout(em: EntityManager): string {
  return `select ${columnsOf(em, Checkout, 'checkout')} from checkout where id = ? and traveler_id = ?`;
}
