import type { EntityManager } from '@mikro-orm/postgresql';
import { alsoFrom, arrayOf, type Condition, type Sql, together } from '../../kernel/database.rows.js';
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
 * What is written into the books, as pieces of one statement: it locks the accounts it touches in the order of their
 * codes (so that two transactions never wait for each other, also when both open the same account) and changes each of
 * them once. The lock lets foreign keys to the account pass: two transactions that have just written holds on the same
 * account would otherwise wait for each other. A payment has one entry a statement.
 */
export interface Entry {
  readonly pieces: readonly Sql[];
  /** The legs whose holds it resolves. All of them must be pending (M3). */
  readonly resolves: readonly string[];
}

const NOTHING: Entry = { pieces: [], resolves: [] };

/** Sets amounts aside: they count as pending until they are posted or voided. Amounts of zero leave no trace. */
export function holding(
  paymentId: PaymentId,
  movements: readonly Movement[],
  now: Date,
  when: Condition = null,
): Entry {
  const real = movements.filter((movement) => !movement.amount.isZero());
  if (real.length === 0) return NOTHING;
  const held: Sql = {
    text: `insert into hold (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, status, created_at)
             select ?, leg, debit_id, credit_id, amount, currency, 'PENDING', ? from movement`,
    values: [paymentId, now],
  };
  return { pieces: [grown(real, 'pending', when), moved(real), held], resolves: [] };
}

/** Moves amounts at once, without a hold before. */
export function posting(
  paymentId: PaymentId,
  refundId: RefundId | null,
  movements: readonly Movement[],
  now: Date,
  when: Condition = null,
): Entry {
  const real = movements.filter((movement) => !movement.amount.isZero()).map(forward);
  if (real.length === 0) return NOTHING;
  const posted: Sql = {
    text: `insert into posting (payment_id, refund_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
             select ?, ?, leg, debit_id, credit_id, amount, currency, ? from movement`,
    values: [paymentId, refundId, now],
  };
  return { pieces: [grown(real, 'posted', when), moved(real), posted], resolves: [] };
}

/**
 * Makes the named holds of a payment final, each once (M3): POSTED moves their amounts, VOIDED gives them up.
 * @param kept moves at once with them, from an account that may be missing yet to one that a hold has
 */
export function resolving(
  paymentId: PaymentId,
  legs: readonly string[],
  status: Exclude<HoldStatus, 'PENDING'>,
  now: Date,
  when: Condition = null,
  kept: Movement | null = null,
): Entry {
  const posts = status === 'POSTED';
  const pieces: Sql[] = [
    {
      name: 'held',
      text: `select hold.id, hold.status from hold${alsoFrom(when)}
              where payment_id = ? and leg = any(?::text[]) order by hold.id for no key update of hold`,
      values: [paymentId, arrayOf(legs)],
    },
    {
      name: 'resolved',
      text: `update hold set status = ?, resolved_at = ? from held where hold.id = held.id and held.status = 'PENDING'
             returning hold.id, payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency`,
      values: [status, now],
    },
    {
      name: 'delta',
      text: `select account_id, sum(debit)::bigint as debit, sum(credit)::bigint as credit, sum(kept)::bigint as kept
               from (select debit_account_id, amount_minor, 0, 0 from resolved
                      union all select credit_account_id, 0, amount_minor, 0 from resolved
                      ${kept ? 'union all select id, 0, 0, ?::bigint from account where code = ? and exists (select from resolved)' : ''}
                    ) as side (account_id, debit, credit, kept)
              group by account_id`,
      values: kept ? [kept.amount.minor, kept.credit.code] : [],
    },
    {
      name: 'locked',
      text: 'select id from account where id in (select account_id from delta) order by code for no key update',
      values: [],
    },
    {
      name: 'changed',
      text: `update account set debits_pending = debits_pending - delta.debit, credits_pending = credits_pending - delta.credit,
                    debits_posted = debits_posted + ${posts ? 'delta.debit' : '0'},
                    credits_posted = credits_posted + ${posts ? 'delta.credit' : '0'} + delta.kept
               from locked, delta where account.id = locked.id and delta.account_id = locked.id
             returning account.id, account.code`,
      values: [],
    },
  ];
  if (posts)
    pieces.push({
      name: 'posted',
      text: `insert into posting (payment_id, hold_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
               select payment_id, id, leg, debit_account_id, credit_account_id, amount_minor, currency, ? from resolved order by id
             returning id`,
      values: [now],
    });
  if (kept) pieces.push(...keeping(paymentId, kept, now));
  return { pieces, resolves: legs };
}

/** The account of what was kept comes after all others, wherever it is locked; its posting after theirs. */
function keeping(paymentId: PaymentId, { leg, debit, credit, amount }: Movement, now: Date): Sql[] {
  return [
    {
      name: 'keeper',
      text: `insert into account as account (code, currency, debits_posted)
               select ?, ?, ?::bigint from changed, (select count(*) from posted) as before where changed.code = ?
             on conflict (code) do update set debits_posted = account.debits_posted + excluded.debits_posted
             returning id`,
      values: [debit.code, debit.currency, amount.minor, credit.code],
    },
    {
      text: `insert into posting (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
               select ?, ?, keeper.id, changed.id, ?::bigint, ?, ? from keeper, changed where changed.code = ?`,
      values: [paymentId, leg, amount.minor, amount.currency, now, credit.code],
    },
  ];
}

/**
 * Writes it within the transaction of `em`.
 * @throws ForbiddenTransition when a hold was resolved before
 */
export async function book(em: EntityManager, { pieces, resolves }: Entry): Promise<void> {
  if (pieces.length === 0) return;
  const { text, values } = together(pieces, resolves.length > 0 ? 'select status from held' : undefined);
  const rows = await em.execute<{ status: HoldStatus }[]>(text, values);
  // Whatever they were resolved to: that is over.
  if (resolves.length > 0) for (const { status } of rows) step(holdTransitions, status, 'POSTED');
}

/** Opens the accounts that are missing, and adds to those that are there. */
function grown(movements: readonly Movement[], how: 'pending' | 'posted', when: Condition): Sql {
  return {
    name: 'grown',
    text: `insert into account as account (code, currency, debits_pending, debits_posted, credits_pending, credits_posted)
             select code, currency, dp, dd, cp, cd
               from unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
                 as growth (code, currency, dp, dd, cp, cd)${alsoFrom(when)}
              order by code
           on conflict (code) do update set
             debits_pending = account.debits_pending + excluded.debits_pending,
             debits_posted = account.debits_posted + excluded.debits_posted,
             credits_pending = account.credits_pending + excluded.credits_pending,
             credits_posted = account.credits_posted + excluded.credits_posted
           returning id, code`,
    values: growthOf(movements, how),
  };
}

function moved(movements: readonly Movement[]): Sql {
  return {
    name: 'movement',
    text: `select leg, debit.id as debit_id, credit.id as credit_id, amount, currency
             from unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[])
               with ordinality as given (leg, debit, credit, amount, currency, place)
             join grown debit on debit.code = given.debit join grown credit on credit.code = given.credit
            order by place`,
    values: columns(movements),
  };
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
    arrayOf(rows.map(({ account }) => account.code)),
    arrayOf(rows.map(({ account }) => account.currency)),
    arrayOf(rows.map((row) => row.debitsPending)),
    arrayOf(rows.map((row) => row.debitsPosted)),
    arrayOf(rows.map((row) => row.creditsPending)),
    arrayOf(rows.map((row) => row.creditsPosted)),
  ];
}

function columns(movements: readonly Movement[]): string[] {
  return [
    arrayOf(movements.map((movement) => movement.leg)),
    arrayOf(movements.map((movement) => movement.debit.code)),
    arrayOf(movements.map((movement) => movement.credit.code)),
    arrayOf(movements.map((movement) => movement.amount.minor)),
    arrayOf(movements.map((movement) => movement.amount.currency)),
  ];
}
