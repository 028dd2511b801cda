import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import {
  changesOf,
  columnsOf,
  entityIn,
  executeTogether,
  type Snapshot,
  snapshotOf,
} from '../../kernel/database.rows.js';
import { invariant } from '../../kernel/error.js';
import type { PaymentId } from '../../kernel/id.js';
import type { PageRequest } from '../../kernel/page.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import { Payment } from './payment.entity.js';
import type { PaymentStatus } from './payment.states.js';
import type { PaymentEvent } from './payment-event.entity.js';
import { announcement } from './payment-event.repository.js';

/** A payment with its two legs, as they were read together. */
export interface Legs {
  readonly payment: Payment;
  readonly authorization: Authorization;
  readonly acceptance: Acceptance;
}

/** Legs whose rows are locked, with what the rows held then. */
export interface LockedLegs extends Legs {
  readonly before: Readonly<Record<keyof Legs, Snapshot>>;
}

/** The payment with its legs; nothing is locked. */
export async function readLegs(em: EntityManager, id: PaymentId): Promise<Legs> {
  return selectLegs(em, id, '');
}

/**
 * The same under their row locks, the payment's first: whoever changes a payment or its legs holds it. All three rows
 * are locked, because who waits for one row reads only that one as it is then, and the others as they were before.
 */
export async function lockLegs(em: EntityManager, id: PaymentId): Promise<LockedLegs> {
  const legs = await selectLegs(em, id, 'for update of payment, authorized, accepted');
  const before = {
    payment: snapshotOf(em, legs.payment),
    authorization: snapshotOf(em, legs.authorization),
    acceptance: snapshotOf(em, legs.acceptance),
  };
  return { ...legs, before };
}

/**
 * Writes what has changed of a payment and its legs, and what happened to it, in one statement. A payment that is over
 * needs no lease any more.
 */
export async function saveLegs(em: EntityManager, legs: LockedLegs, event: PaymentEvent | null): Promise<void> {
  const { payment, authorization, acceptance, before } = legs;
  await executeTogether(em, [
    changesOf(em, payment, before.payment, payment.isFinal() ? 'lease_until = null' : null),
    changesOf(em, authorization, before.authorization, null),
    changesOf(em, acceptance, before.acceptance, null),
    ...(event ? announcement(em, payment, event) : []),
  ]);
}

/** Notes under which order the wallet was asked, as long as it has not answered. */
export async function rememberOrder(em: EntityManager, id: PaymentId, orderId: string): Promise<void> {
  await em.execute("update payment_authorization set order_id = ? where payment_id = ? and status = 'REQUESTED'", [
    orderId,
    id,
  ]);
}

export async function lockPayment(em: EntityManager, id: PaymentId): Promise<Payment> {
  return em.findOneOrFail(Payment, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
}

async function selectLegs(em: EntityManager, id: PaymentId, lock: string): Promise<Legs> {
  const [row] = await em.execute<Record<string, unknown>[]>(
    `select ${legColumns(em)} from ${LEGS} where payment.id = ? ${lock}`,
    [id],
  );
  invariant(row, `there is no payment ${id}`);
  return legsIn(em, row);
}

/**
 * The id of a payment as other tables have it. Their columns have the database's collation, that of `payment.id` is "C": compared
 * as it stands, no index of theirs could serve, and each step of each payment would read its legs' tables whole.
 */
export const PAYMENT_ID = 'payment.id collate "default"';

/** Where payments are read with their legs, by the names that `legColumns` and `legsIn` know. */
export const LEGS = `payment
   join payment_authorization authorized on authorized.payment_id = ${PAYMENT_ID}
   join payment_acceptance accepted on accepted.payment_id = ${PAYMENT_ID}`;

export function legColumns(em: EntityManager): string {
  const columns = [
    columnsOf(em, Payment, 'payment'),
    columnsOf(em, Authorization, 'authorized'),
    columnsOf(em, Acceptance, 'accepted'),
  ];
  return columns.join(', ');
}

export function legsIn(em: EntityManager, row: Readonly<Record<string, unknown>>): Legs {
  return {
    payment: entityIn(em, Payment, 'payment', row),
    authorization: entityIn(em, Authorization, 'authorized', row),
    acceptance: entityIn(em, Acceptance, 'accepted', row),
  };
}

export interface PaymentFilter {
  readonly status?: PaymentStatus | null;
}

const OWNERS = { trv: 'traveler_id', mer: 'merchant_id' } as const;

/**
 * A page of the payments of each of these travelers or merchants, newest first, in one statement for all of them; one
 * row more than asked tells whether there is more.
 */
export async function readPaymentPages(
  em: EntityManager,
  kind: keyof typeof OWNERS,
  owners: readonly string[],
  filter: PaymentFilter,
  page: PageRequest,
): Promise<Payment[]> {
  const [owner, order] = [OWNERS[kind], page.backward ? 'asc' : 'desc'];
  const status = filter.status ?? null;
  const rows = await em.execute<object[]>(
    `select payment.* from unnest(?::text[]) as wanted (owner_id)
      cross join lateral (
        select * from payment
         where ${owner} = wanted.owner_id and (?::text is null or status = ?)
           and (?::text is null or id < ?) and (?::text is null or id > ?)
         order by id ${order} limit ?) as payment
      order by payment.id ${order}`,
    [`{${owners.join(',')}}`, status, status, page.after, page.after, page.before, page.before, page.limit + 1],
  );
  return rows.map((row) => em.map(Payment, row));
}
