import type { EntityManager } from '@mikro-orm/postgresql';
import { invariant } from '../../kernel/error.js';
import type { PaymentId, RefundId } from '../../kernel/id.js';
import { Money } from '../../kernel/money/money.js';
import { step } from '../../kernel/states.js';
import type { Account } from './account.entity.js';
import { type HoldStatus, holdTransitions } from './hold.states.js';

/** One amount from one account to another of the same currency. `leg` names it within its payment or refund. */
export interface Movement {
  readonly leg: string;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: Money;
}

/** How an account's four totals grow. */
interface Growth {
  readonly account: Account;
  debitsPending: bigint;
  debitsPosted: bigint;
  creditsPending: bigint;
  creditsPosted: bigint;
}

/**
 * The books. Each function is one statement inside the caller's transaction: it locks the accounts it touches in the
 * order of their codes (so that two transactions never wait for each other, also when both open the same account) and
 * changes each of them once. The lock lets foreign keys to the account pass: two transactions that have just written
 * holds on the same account would otherwise wait for each other.
 */

/** Sets amounts aside: they count as pending until they are posted or voided. Amounts of zero leave no trace. */
export async function hold(
  em: EntityManager,
  paymentId: PaymentId,
  movements: readonly Movement[],
  now: Date,
): Promise<void> {
  const real = movements.filter((movement) => !movement.amount.isZero());
  if (real.length === 0) return;
  await em.execute(
    `with ${GROWN}, ${MOVEMENTS}
     insert into hold (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, status, created_at)
       select ?, leg, debit_id, credit_id, amount, currency, 'PENDING', ? from movement`,
    [...growthOf(real, 'pending'), ...columns(real), paymentId, now],
  );
}

/** Makes the named holds of a payment final, each once (M3). */
export async function postHolds(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  now: Date,
): Promise<void> {
  await resolve(em, paymentId, legs, 'POSTED', now);
}

/** Gives the named holds of a payment up, each once (M3). */
export async function voidHolds(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  now: Date,
): Promise<void> {
  await resolve(em, paymentId, legs, 'VOIDED', now);
}

/** Moves amounts at once, without a hold before. */
export async function post(
  em: EntityManager,
  paymentId: PaymentId,
  refundId: RefundId | null,
  movements: readonly Movement[],
  now: Date,
): Promise<void> {
  const real = movements.filter((movement) => !movement.amount.isZero()).map(forward);
  if (real.length === 0) return;
  await em.execute(
    `with ${GROWN}, ${MOVEMENTS}
     insert into posting (payment_id, refund_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
       select ?, ?, leg, debit_id, credit_id, amount, currency, ? from movement`,
    [...growthOf(real, 'posted'), ...columns(real), paymentId, refundId, now],
  );
}

/** Opens the accounts that are missing, and adds to those that are there. */
const GROWN = `grown as (
    insert into account as account (code, currency, debits_pending, debits_posted, credits_pending, credits_posted)
      select code, currency, dp, dd, cp, cd
        from unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
          as growth (code, currency, dp, dd, cp, cd)
       order by code
    on conflict (code) do update set
      debits_pending = account.debits_pending + excluded.debits_pending,
      debits_posted = account.debits_posted + excluded.debits_posted,
      credits_pending = account.credits_pending + excluded.credits_pending,
      credits_posted = account.credits_posted + excluded.credits_posted
    returning id, code)`;

const MOVEMENTS = `movement as (
    select leg, debit.id as debit_id, credit.id as credit_id, amount, currency
      from unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[])
        with ordinality as given (leg, debit, credit, amount, currency, place)
      join grown debit on debit.code = given.debit join grown credit on credit.code = given.credit
     order by place)`;

/**
 * Locks the holds, then resolves those that are pending. One that is not stays as it is, and is refused.
 * @throws ForbiddenTransition
 */
async function resolve(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  status: Exclude<HoldStatus, 'PENDING'>,
  now: Date,
): Promise<void> {
  const rows = await em.execute<{ status: HoldStatus }[]>(
    `with held as materialized (
       select id, status from hold where payment_id = ? and leg = any(?::text[]) order by id for no key update),
     resolved as (
       update hold set status = ?, resolved_at = ? from held where hold.id = held.id and held.status = 'PENDING'
       returning hold.id, payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency),
     posted as (
       insert into posting (payment_id, hold_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
         select payment_id, id, leg, debit_account_id, credit_account_id, amount_minor, currency, ?
           from resolved where ? = 'POSTED' order by id),
     delta as materialized (
       select account_id, sum(debit)::bigint as debit, sum(credit)::bigint as credit
         from (select debit_account_id, amount_minor, 0 from resolved
                union all select credit_account_id, 0, amount_minor from resolved) as side (account_id, debit, credit)
        group by account_id),
     locked as materialized (
       select id from account where id in (select account_id from delta) order by code for no key update),
     changed as (
       update account set
           debits_pending = debits_pending - delta.debit, credits_pending = credits_pending - delta.credit,
           debits_posted = debits_posted + case ? when 'POSTED' then delta.debit else 0 end,
           credits_posted = credits_posted + case ? when 'POSTED' then delta.credit else 0 end
         from locked, delta where account.id = locked.id and delta.account_id = locked.id)
     select status from held`,
    [paymentId, array(legs), status, now, now, status, status, status],
  );
  for (const row of rows) step(holdTransitions, row.status, status);
}

/** Less than nothing one way is that amount the other way: cumulative shares may step back by a minor unit. */
function forward(movement: Movement): Movement {
  if (movement.amount.isPositive()) return movement;
  const { leg, debit, credit, amount } = movement;
  return { leg, debit: credit, credit: debit, amount: Money.zero(amount.currency).minus(amount) };
}

/** What the movements add to each account together: an account is changed once. */
function growthOf(movements: readonly Movement[], when: 'pending' | 'posted'): string[] {
  const byCode = new Map<string, Growth>();
  const of = (account: Account): Growth => {
    const known = byCode.get(account.code);
    if (known) return known;
    const growth = { account, debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
    byCode.set(account.code, growth);
    return growth;
  };
  for (const { debit, credit, amount } of movements) {
    const isOneCurrency = debit.currency === amount.currency && credit.currency === amount.currency;
    invariant(isOneCurrency, 'one currency a movement (M1)');
    of(debit)[when === 'pending' ? 'debitsPending' : 'debitsPosted'] += amount.minor;
    of(credit)[when === 'pending' ? 'creditsPending' : 'creditsPosted'] += amount.minor;
  }
  const rows = [...byCode.values()];
  return [
    array(rows.map(({ account }) => account.code)),
    array(rows.map(({ account }) => account.currency)),
    array(rows.map((row) => row.debitsPending)),
    array(rows.map((row) => row.debitsPosted)),
    array(rows.map((row) => row.creditsPending)),
    array(rows.map((row) => row.creditsPosted)),
  ];
}

function columns(movements: readonly Movement[]): string[] {
  return [
    array(movements.map((movement) => movement.leg)),
    array(movements.map((movement) => movement.debit.code)),
    array(movements.map((movement) => movement.credit.code)),
    array(movements.map((movement) => movement.amount.minor)),
    array(movements.map((movement) => movement.amount.currency)),
  ];
}

/** A PostgreSQL array literal of plain values: codes, ids and numbers of ours. */
function array(values: readonly (string | bigint)[]): string {
  return `{${values.map((value) => (typeof value === 'bigint' ? value : JSON.stringify(value))).join(',')}}`;
}
