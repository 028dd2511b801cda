import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import {
  changesOf,
  columnsOf,
  commitTogether,
  entityIn,
  executeTogether,
  type Snapshot,
  type Sql,
  snapshotOf,
} from '../../kernel/database.rows.js';
import { invariant } from '../../kernel/error.js';
import type { PaymentId } from '../../kernel/id.js';
import type { PageRequest } from '../../kernel/page.js';
import { Acceptance } from '../acceptance/acceptance.entity.js';
import { Authorization } from '../authorization/authorization.entity.js';
import type { Entry } from '../ledger/ledger.repository.js';
import { isAskedElsewhere } from '../saga/patience.js';
import { Payment } from './payment.entity.js';
import type { PaymentStatus } from './payment.states.js';
import type { PaymentEvent } from './payment-event.entity.js';
import { announcements } from './payment-event.repository.js';

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
  const [row] = await runStatement<Record<string, unknown>>(em, selectLegs(em, ''), [id]);
  return found(em, id, row);
}

/**
 * The same under their row locks, the payment's first: whoever changes a payment or its legs holds it. All three rows
 * are locked, because who waits for one row reads only that one as it is then, and the others as they were before.
 */
export async function lockLegs(em: EntityManager, id: PaymentId): Promise<LockedLegs> {
  const locking = selectLegs(em, 'for update of payment, authorized, accepted');
  const [row] = await em.execute<Record<string, unknown>[]>(locking, [id]);
  const legs = found(em, id, row);
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
    ...announcements(em, payment, event ? [event] : []),
  ]);
}

/** What a step changes beside the legs themselves. */
export interface LegsChange {
  readonly events: readonly PaymentEvent[];
  /** In the books. */
  readonly entry?: Entry;
  readonly besides?: readonly Sql[];
  /** It follows from a refusal, which is no matter where another worker has asked, or may have, since. */
  readonly byRefusal?: boolean;
}

/** The piece by whose name all others of a change are written only where the legs are as they were known. */
export const AS_KNOWN = 'as_known';

/**
 * Takes a payment one step further, in one statement that is a transaction of its own: it locks the rows of the legs,
 * looks whether they are still as they are known, and writes what `change` makes of a copy of them, or nothing at all.
 * @param change names AS_KNOWN in each piece that it returns
 * @returns the legs as they are written; null where somebody was faster
 * @throws InvariantViolation where nobody was faster: the books contradict the legs (M3)
 */
export async function changeLegs(
  em: EntityManager,
  known: Legs,
  change: (legs: Legs) => LegsChange,
): Promise<Legs | null> {
  const legs = copyOf(known);
  const { events, entry, besides = [], byRefusal = false } = change(legs);
  const { payment, authorization, acceptance } = legs;
  const changes = (entity: object, before: object, also: string | null) =>
    changesOf(em, entity, snapshotOf(em, before), also, AS_KNOWN);
  const pieces = [
    asKnown(known, entry?.resolves ?? [], byRefusal),
    changes(payment, known.payment, payment.isFinal() ? 'lease_until = null' : null),
    changes(authorization, known.authorization, null),
    changes(acceptance, known.acceptance, null),
    ...announcements(em, payment, events, AS_KNOWN),
    ...(entry?.pieces ?? []),
    ...besides,
  ];
  const written = await commitTogether(em, pieces, `select from ${AS_KNOWN}`);
  if (written.length > 0) return legs;
  const now = await readLegs(em, known.payment.id);
  invariant(!isSame(now, known), 'holds that are resolved belong to a leg that is over (M3)');
  return null;
}

/** Locks the three rows, and finds them only where nothing has happened since they were read. */
function asKnown({ payment, authorization, acceptance }: Legs, resolves: readonly string[], byRefusal: boolean): Sql {
  const pending = resolves.length > 0 ? NONE_RESOLVED : '';
  const unasked = byRefusal ? 'and payment.unclear_since is not distinct from ?' : '';
  return {
    name: AS_KNOWN,
    text: `select from ${LEGS}
            where payment.id = ? and payment.status = ? and payment.event_count = ? and authorized.status = ? and accepted.status = ?
              ${unasked} ${pending}
              for update of payment, authorized, accepted`,
    values: [
      payment.id,
      payment.status,
      payment.eventCount,
      authorization.status,
      acceptance.status,
      ...(byRefusal ? [payment.unclearSince] : []),
      ...(resolves.length > 0 ? [`{${resolves.join(',')}}`] : []),
    ],
  };
}

const NONE_RESOLVED = `and not exists (
  select from hold where hold.payment_id = authorized.payment_id and leg = any(?::text[]) and hold.status <> 'PENDING')`;

function isSame(one: Legs, other: Legs): boolean {
  return (
    one.payment.status === other.payment.status &&
    one.payment.eventCount === other.payment.eventCount &&
    !isAskedElsewhere(one.payment, other.payment) &&
    one.authorization.status === other.authorization.status &&
    one.acceptance.status === other.acceptance.status
  );
}

/** What is known stays as it is, whatever becomes of the change. */
function copyOf({ payment, authorization, acceptance }: Legs): Legs {
  return {
    payment: Object.assign(new Payment(), payment),
    authorization: Object.assign(new Authorization(), authorization),
    acceptance: Object.assign(new Acceptance(), acceptance),
  };
}

/** Notes under which order the wallet was asked, as long as it has not answered. */
export async function rememberOrder(em: EntityManager, id: PaymentId, orderId: string): Promise<void> {
  await em.execute("update payment_authorization set order_id = ? where payment_id = ? and status = 'REQUESTED'", [
    orderId,
    id,
  ]);
}

function selectLegs(em: EntityManager, lock: string): string {
  return `select ${legColumns(em)} from ${LEGS} where payment.id = ? ${lock}`;
}

function found(em: EntityManager, id: PaymentId, row: Readonly<Record<string, unknown>> | undefined): Legs {
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
