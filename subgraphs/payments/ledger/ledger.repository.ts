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

interface HoldRow {
  id: string;
  leg: string;
  debit_account_id: string;
  credit_account_id: string;
  amount_minor: string;
  currency: string;
  status: HoldStatus;
}

/** How an account's four totals change. */
interface Delta {
  debitsPending: bigint;
  debitsPosted: bigint;
  creditsPending: bigint;
  creditsPosted: bigint;
}

/**
 * The books. Each function works inside the caller's transaction, locks the accounts it touches in the order of their
 * ids (so that two transactions never wait for each other) and changes each of them once.
 */

/** Sets amounts aside: they count as pending until they are posted or voided. Amounts of zero leave no trace. */
export async function hold(
  em: EntityManager,
  paymentId: PaymentId,
  movements: readonly Movement[],
  now: Date,
): Promise<void> {
  const real = movements.filter((movement) => !movement.amount.isZero());
  const ids = await accountIds(em, real);
  await em.execute(
    `insert into hold (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, status, created_at)
       select ?, leg, debit, credit, amount, currency, 'PENDING', ?
         from unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[])
           as movement (leg, debit, credit, amount, currency)`,
    [paymentId, now, ...columns(real, ids)],
  );
  await change(
    em,
    real.flatMap((movement) => deltasOf(movement, ids, 'pending')),
  );
}

/** Makes the named holds of a payment final, each once (M3). */
export async function postHolds(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  now: Date,
): Promise<void> {
  const rows = await resolve(em, paymentId, legs, 'POSTED', now);
  await em.execute(
    `insert into posting (payment_id, hold_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
       select payment_id, id, leg, debit_account_id, credit_account_id, amount_minor, currency, ?
         from hold where id = any(?::bigint[])`,
    [now, array(rows.map((row) => row.id))],
  );
  await change(
    em,
    rows.flatMap((row) => [...releaseOf(row), ...postOf(row)]),
  );
}

/** Gives the named holds of a payment up, each once (M3). */
export async function voidHolds(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  now: Date,
): Promise<void> {
  const rows = await resolve(em, paymentId, legs, 'VOIDED', now);
  await change(em, rows.flatMap(releaseOf));
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
  const ids = await accountIds(em, real);
  await em.execute(
    `insert into posting (payment_id, refund_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
       select ?, ?, leg, debit, credit, amount, currency, ?
         from unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[])
           as movement (leg, debit, credit, amount, currency)`,
    [paymentId, refundId, now, ...columns(real, ids)],
  );
  await change(
    em,
    real.flatMap((movement) => deltasOf(movement, ids, 'posted')),
  );
}

/** Less than nothing one way is that amount the other way: cumulative shares may step back by a minor unit. */
function forward(movement: Movement): Movement {
  if (movement.amount.isPositive()) return movement;
  const { leg, debit, credit, amount } = movement;
  return { leg, debit: credit, credit: debit, amount: Money.zero(amount.currency).minus(amount) };
}

/** The ids of the accounts by code; opens those that are missing. */
async function accountIds(em: EntityManager, movements: readonly Movement[]): Promise<Map<string, string>> {
  const accounts = new Map(movements.flatMap(({ debit, credit }) => [debit, credit]).map((each) => [each.code, each]));
  for (const { debit, credit, amount } of movements)
    invariant(
      debit.currency === amount.currency && credit.currency === amount.currency,
      'one currency a movement (M1)',
    );
  // In one order everywhere: two transactions that open the same accounts must not wait for each other.
  const codes = [...accounts.keys()].sort();
  const known = await find(em, codes);
  const missing = codes.filter((code) => !known.has(code));
  if (missing.length === 0) return known;
  await em.execute(
    `insert into account (code, currency) select code, currency from unnest(?::text[], ?::text[]) as a (code, currency)
       order by code on conflict (code) do nothing`,
    [array(missing), array(missing.map((code) => accounts.get(code)?.currency ?? ''))],
  );
  return find(em, codes);
}

async function find(em: EntityManager, codes: readonly string[]): Promise<Map<string, string>> {
  const rows = await em.execute<{ id: string; code: string }[]>(
    'select id, code from account where code = any(?::text[])',
    [array(codes)],
  );
  return new Map(rows.map((row) => [row.code, row.id]));
}

async function resolve(
  em: EntityManager,
  paymentId: PaymentId,
  legs: readonly string[],
  status: HoldStatus,
  now: Date,
): Promise<HoldRow[]> {
  const rows = await em.execute<HoldRow[]>(
    `select id, leg, debit_account_id, credit_account_id, amount_minor, currency, status
       from hold where payment_id = ? and leg = any(?::text[]) order by id for no key update`,
    [paymentId, array(legs)],
  );
  for (const row of rows) step(holdTransitions, row.status, status);
  await em.execute('update hold set status = ?, resolved_at = ? where id = any(?::bigint[])', [
    status,
    now,
    array(rows.map((row) => row.id)),
  ]);
  return rows;
}

/**
 * Locks the accounts in the order of their ids, then adds the net change to each. The lock lets foreign keys to the
 * account pass: two transactions that have just inserted holds on the same account would otherwise wait for each other.
 */
async function change(em: EntityManager, deltas: readonly [accountId: string, delta: Partial<Delta>][]): Promise<void> {
  const net = new Map<string, Delta>();
  for (const [id, delta] of deltas) {
    const sum = net.get(id) ?? { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
    for (const key of Object.keys(sum) as (keyof Delta)[]) sum[key] += delta[key] ?? 0n;
    net.set(id, sum);
  }
  const rows = [...net];
  await em.execute(
    `with locked as (select id from account where id = any(?::bigint[]) order by id for no key update)
     update account set
         debits_pending = debits_pending + delta.dp, debits_posted = debits_posted + delta.dd,
         credits_pending = credits_pending + delta.cp, credits_posted = credits_posted + delta.cd
       from locked, unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) as delta (id, dp, dd, cp, cd)
      where account.id = locked.id and delta.id = locked.id`,
    [
      array(rows.map(([id]) => id)),
      array(rows.map(([id]) => id)),
      array(rows.map(([, delta]) => delta.debitsPending)),
      array(rows.map(([, delta]) => delta.debitsPosted)),
      array(rows.map(([, delta]) => delta.creditsPending)),
      array(rows.map(([, delta]) => delta.creditsPosted)),
    ],
  );
}

function deltasOf(
  movement: Movement,
  ids: ReadonlyMap<string, string>,
  when: 'pending' | 'posted',
): [string, Partial<Delta>][] {
  const amount = movement.amount.minor;
  return [
    [idOf(ids, movement.debit), when === 'pending' ? { debitsPending: amount } : { debitsPosted: amount }],
    [idOf(ids, movement.credit), when === 'pending' ? { creditsPending: amount } : { creditsPosted: amount }],
  ];
}

function releaseOf(row: HoldRow): [string, Partial<Delta>][] {
  const amount = BigInt(row.amount_minor);
  return [
    [row.debit_account_id, { debitsPending: -amount }],
    [row.credit_account_id, { creditsPending: -amount }],
  ];
}

function postOf(row: HoldRow): [string, Partial<Delta>][] {
  const amount = BigInt(row.amount_minor);
  return [
    [row.debit_account_id, { debitsPosted: amount }],
    [row.credit_account_id, { creditsPosted: amount }],
  ];
}

function columns(movements: readonly Movement[], ids: ReadonlyMap<string, string>): string[] {
  return [
    array(movements.map((movement) => movement.leg)),
    array(movements.map((movement) => idOf(ids, movement.debit))),
    array(movements.map((movement) => idOf(ids, movement.credit))),
    array(movements.map((movement) => movement.amount.minor)),
    array(movements.map((movement) => movement.amount.currency)),
  ];
}

function idOf(ids: ReadonlyMap<string, string>, account: Account): string {
  const id = ids.get(account.code);
  invariant(id !== undefined, `account ${account.code} does not exist`);
  return id;
}

/** A PostgreSQL array literal of plain values: codes, ids and numbers of ours. */
function array(values: readonly (string | bigint)[]): string {
  return `{${values.map((value) => (typeof value === 'bigint' ? value : JSON.stringify(value))).join(',')}}`;
}
