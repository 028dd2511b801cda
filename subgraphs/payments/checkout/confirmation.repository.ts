import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import { changesOf, commitTogether, entityIn, insertion, snapshotOf } from '../../kernel/database.rows.js';
import type { CheckoutId, PaymentId, TravelerId } from '../../kernel/id.js';
import {
  type IdempotentRequest,
  KEY_CLAIMED,
  type KeyRecord,
  keyClaim,
  keySearch,
  replayOf,
} from '../../kernel/idempotency.js';
import { reservation } from '../limit/limit.repository.js';
import type { Legs } from '../payment/payment.repository.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';
import { announcements } from '../payment/payment-event.repository.js';
import { Checkout } from './checkout.entity.js';
import { selectCheckout } from './checkout.repository.js';

/** The checkout where it is that traveler's, with the payment that an earlier request with the same key has made of it. @throws IdempotencyKeyReused */
export async function readToConfirm(
  em: EntityManager,
  id: CheckoutId,
  travelerId: TravelerId,
  request: IdempotentRequest,
): Promise<{ readonly checkout: Checkout; readonly earlier: { readonly paymentId: PaymentId } | null } | null> {
  const search = keySearch(request);
  const [row] = await runStatement<Record<string, unknown> & KeyRecord<{ paymentId: PaymentId }>>(
    em,
    `select found.*, record.request_hash, record.result from (${selectCheckout(em)}) found
       left join (${search.text}) record on true`,
    [id, travelerId, ...search.values],
  );
  return row ? { checkout: entityIn(em, Checkout, 'checkout', row), earlier: replayOf(request, row) } : null;
}

/** A confirmation, and what comes of it. */
export interface Confirmation {
  /** As it was read. */
  readonly before: Checkout;
  /** As it is from now on. */
  readonly after: Checkout;
  readonly legs: Legs;
  readonly event: PaymentEvent;
  readonly request: IdempotentRequest;
  /** What the payment's row holds beside, in SQL: the lease of the process that drives it at once. */
  readonly lease: Readonly<Record<string, string>>;
}

/**
 * Writes a checkout's confirmation and the payment that it becomes, with its legs and its first event, in one statement
 * that is a transaction of its own; or nothing, where the checkout has changed or the request's key was used before.
 * @returns whether it is written
 * @throws what `isBeyondLimit` knows
 */
export async function confirmCheckout(em: EntityManager, confirmation: Confirmation): Promise<boolean> {
  const { before, after, legs, event, request, lease } = confirmation;
  const { payment, authorization, acceptance } = legs;
  const pieces = [
    {
      name: 'as_read',
      text: 'select from checkout where id = ? and traveler_id = ? and status = ? and quote_id = ? for update',
      values: [before.id, before.travelerId, before.status, before.quoteId],
    },
    keyClaim(request, { paymentId: payment.id }, 'as_read'),
    changesOf(em, after, snapshotOf(em, before), null, KEY_CLAIMED),
    insertion(em, payment, KEY_CLAIMED, lease),
    insertion(em, authorization, KEY_CLAIMED),
    insertion(em, acceptance, KEY_CLAIMED),
    ...announcements(em, payment, [event], KEY_CLAIMED),
    reservation(payment, before.perYearLimitMinor, KEY_CLAIMED),
  ];
  return (await commitTogether(em, pieces, `select from ${KEY_CLAIMED}`)).length > 0;
}
