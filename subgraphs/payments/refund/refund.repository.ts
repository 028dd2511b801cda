import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';
import {
  changesOf,
  columnsOf,
  commitTogether,
  entityIn,
  insertion,
  type Sql,
  snapshotOf,
} from '../../kernel/database.rows.js';
import { invariant } from '../../kernel/error.js';
import type { PaymentId, RefundId } from '../../kernel/id.js';
import { type IdempotentRequest, KEY_CLAIMED, type KeyRecord, keyClaim } from '../../kernel/idempotency.js';
import type { Entry } from '../ledger/ledger.repository.js';
import { Payment } from '../payment/payment.entity.js';
import { AS_KNOWN, LEGS, type Legs, legColumns, legsIn } from '../payment/payment.repository.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';
import { announcements } from '../payment/payment-event.repository.js';
import { Refund } from './refund.entity.js';

/** A refund with the payment that it is of, as they were read together. */
export interface RefundLegs extends Legs {
  readonly refund: Refund;
}

/** Nothing is locked. */
export async function readRefund(em: EntityManager, id: RefundId): Promise<RefundLegs> {
  const [row] = await runStatement<Record<string, unknown>>(
    em,
    `select ${columnsOf(em, Refund, 'refund')}, ${legColumns(em)} from refund
       join (${LEGS}) on payment.id = refund.payment_id collate "C" where refund.id = ?`,
    [id],
  );
  invariant(row, `there is no refund ${id}`);
  return { ...legsIn(em, row), refund: entityIn(em, Refund, 'refund', row) };
}

/** What a request for a refund depends on. */
export interface Refundable {
  readonly legs: Legs;
  /** What is stored of the key with which it was asked for. */
  readonly record: KeyRecord<{ readonly refundId: RefundId }>;
  /** Those that have not failed. */
  readonly refunds: number;
}

/** Null where there is no such payment. @param scope begins the key's scope, after the merchant's id: `:refundPayment` */
export async function readRefundable(
  em: EntityManager,
  id: PaymentId,
  scope: string,
  key: string,
): Promise<Refundable | null> {
  const [row] = await runStatement<Record<string, unknown> & Refundable['record'] & { readonly refunds: number }>(
    em,
    `select ${legColumns(em)}, record.request_hash, record.result,
            (select count(*)::int from refund where refund.payment_id = authorized.payment_id and refund.status <> 'FAILED') as refunds
       from ${LEGS}
       left join idempotency_record record on record.scope = payment.merchant_id || ? and record.key = ?
      where payment.id = ?`,
    [scope, key, id],
  );
  return row ? { legs: legsIn(em, row), record: row, refunds: row.refunds } : null;
}

/** A refund that is asked for, and what comes of it. */
export interface RefundRequest {
  /** As it was read. */
  readonly before: Payment;
  /** As it is from now on. */
  readonly payment: Payment;
  readonly refund: Refund;
  readonly event: PaymentEvent;
  readonly request: IdempotentRequest;
  /** What the refund's row holds beside, in SQL: the lease of the process that drives it at once. */
  readonly lease: Readonly<Record<string, string>>;
}

/**
 * Writes a refund and what it reserves, in one statement that is a transaction of its own; or nothing, where something has
 * happened to the payment since or the request's key was used before.
 * @returns whether it is written
 */
export async function insertRefund(em: EntityManager, asked: RefundRequest): Promise<boolean> {
  const { before, payment, refund, event, request, lease } = asked;
  const pieces = [
    {
      name: AS_KNOWN,
      text: 'select from payment where id = ? and status = ? and event_count = ? for update',
      values: [before.id, before.status, before.eventCount],
    },
    keyClaim(request, { refundId: refund.id }, AS_KNOWN),
    changesOf(em, payment, snapshotOf(em, before), null, KEY_CLAIMED),
    insertion(em, refund, KEY_CLAIMED, lease),
    ...announcements(em, payment, [event], KEY_CLAIMED),
  ];
  return (await commitTogether(em, pieces, `select from ${KEY_CLAIMED}`)).length > 0;
}

/** What a step changes beside the refund and its payment themselves. */
export interface RefundChange {
  readonly events: readonly PaymentEvent[];
  /** In the books. */
  readonly entry?: Entry;
  /** It follows from a refusal, which is no matter where another worker has asked, or may have, since. */
  readonly byRefusal?: boolean;
}

/**
 * Takes a refund one step further, in one statement that is a transaction of its own: it locks the payment, then the
 * refund (everywhere in this order), looks whether both are still as they are known, and writes what `change` makes of a
 * copy of them, or nothing at all.
 * @param change names AS_KNOWN in each piece that it returns
 * @returns both as they are written; null where something has happened to one of them since
 */
export async function changeRefund(
  em: EntityManager,
  known: RefundLegs,
  change: (legs: RefundLegs) => RefundChange,
): Promise<RefundLegs | null> {
  const legs: RefundLegs = {
    ...known,
    payment: Object.assign(new Payment(), known.payment),
    refund: Object.assign(new Refund(), known.refund),
  };
  const { events, entry, byRefusal = false } = change(legs);
  const { payment, refund } = legs;
  const pieces = [
    asKnown(known, byRefusal),
    changesOf(em, payment, snapshotOf(em, known.payment), null, AS_KNOWN),
    changesOf(em, refund, snapshotOf(em, known.refund), refund.isOver() ? 'lease_until = null' : null, AS_KNOWN),
    ...announcements(em, payment, events, AS_KNOWN),
    ...(entry?.pieces ?? []),
  ];
  const written = await commitTogether(em, pieces, `select from ${AS_KNOWN}`);
  return written.length > 0 ? legs : null;
}

function asKnown({ payment, refund }: RefundLegs, byRefusal: boolean): Sql {
  return {
    name: AS_KNOWN,
    text: `select from payment join refund on refund.payment_id = payment.id collate "default"
            where payment.id = ? and payment.event_count = ? and refund.id = ? and refund.leg_status = ?
              ${byRefusal ? 'and refund.unclear_since is not distinct from ?' : ''}
              for update of payment, refund`,
    values: [payment.id, payment.eventCount, refund.id, refund.legStatus, ...(byRefusal ? [refund.unclearSince] : [])],
  };
}
