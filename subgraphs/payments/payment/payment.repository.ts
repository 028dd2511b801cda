import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PaymentId } from '../../kernel/id.js';
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
