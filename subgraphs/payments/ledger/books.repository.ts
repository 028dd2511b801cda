import type { EntityManager } from '@mikro-orm/postgresql';

/** A place where the books contradict themselves; there must never be one. */
export interface Discrepancy {
  readonly invariant: 'M1' | 'M2' | 'M3' | 'M5' | 'M6' | 'M8' | 'M9';
  readonly subject: string;
}

const CHECKS = [
  // Running totals are what the postings and the pending holds say.
  `select 'M1' as invariant, account.code as subject from account
     left join (select debit_account_id as id, sum(amount_minor) as total from posting group by 1) debit on debit.id = account.id
     left join (select credit_account_id as id, sum(amount_minor) as total from posting group by 1) credit on credit.id = account.id
    where debits_posted <> coalesce(debit.total, 0) or credits_posted <> coalesce(credit.total, 0)`,
  `select 'M1' as invariant, currency as subject from account group by currency
   having sum(debits_posted) <> sum(credits_posted) or sum(debits_pending) <> sum(credits_pending)`,
  `select 'M2' as invariant, payment.id as subject from payment
     join account on account.code = 'payment:' || payment.id || ':' || payment.sell_currency
    where payment.status in ('COMPLETED', 'DECLINED', 'FAILED')
      and not exists (select 1 from refund where payment_id = payment.id and leg_status in ('TAKEN', 'OWED'))
      and (debits_posted <> credits_posted or debits_pending <> 0 or credits_pending <> 0)`,
  `select 'M3' as invariant, account.code as subject from account
     left join (select debit_account_id as id, sum(amount_minor) as total from hold where status = 'PENDING' group by 1) debit on debit.id = account.id
     left join (select credit_account_id as id, sum(amount_minor) as total from hold where status = 'PENDING' group by 1) credit on credit.id = account.id
    where debits_pending <> coalesce(debit.total, 0) or credits_pending <> coalesce(credit.total, 0)`,
  `select 'M3' as invariant, hold.payment_id as subject from hold
     left join posting on posting.hold_id = hold.id
    where (hold.status = 'POSTED') <> (posting.id is not null)`,
  `select 'M3' as invariant, hold.payment_id as subject from hold join posting on posting.hold_id = hold.id
    where (posting.payment_id, posting.leg, posting.debit_account_id, posting.credit_account_id, posting.amount_minor, posting.currency)
       <> (hold.payment_id, hold.leg, hold.debit_account_id, hold.credit_account_id, hold.amount_minor, hold.currency)`,
  `select 'M5' as invariant, payment.id as subject from payment
     join payment_authorization a on a.payment_id = payment.id join payment_acceptance n on n.payment_id = payment.id
    where (payment.status = 'COMPLETED' and (a.status <> 'CAPTURED' or n.status <> 'ACCEPTED'))
       or (payment.status in ('FAILED', 'DECLINED') and (a.status in ('HELD', 'CAPTURED') or n.status in ('SUBMITTED', 'ACCEPTED')))`,
  `select 'M6' as invariant, payment.id as subject from payment
     left join (select payment_id, sum(buy_minor) as buy, sum(sell_minor) as sell from refund where status <> 'FAILED' group by 1) refunded
            on refunded.payment_id = payment.id
    where refunded_buy_minor <> coalesce(refunded.buy, 0) or refunded_sell_minor <> coalesce(refunded.sell, 0)`,
  `select 'M8' as invariant, payment.id as subject from payment
     left join (select payment_id, count(*) as events, max(sequence) as last from payment_event group by 1) event on event.payment_id = payment.id
    where event_count <> coalesce(events, 0) or event_count <> coalesce(last, 0)`,
  `select 'M9' as invariant, checkout.id as subject from checkout left join payment on payment.checkout_id = checkout.id
    where (checkout.status = 'CONFIRMED') <> (payment.id is not null)`,
];

/** Every contradiction in the books, from one snapshot. Reads everything: for tests, audits and operators. */
export async function findDiscrepancies(em: EntityManager): Promise<Discrepancy[]> {
  return em.execute<Discrepancy[]>(CHECKS.map((check) => `(${check})`).join(' union all '));
}

/** The sum of all accounts whose code starts with `prefix`, in minor units: posted debits less posted credits. */
export async function balanceOf(em: EntityManager, prefix: string): Promise<bigint> {
  const [row] = await em.execute<{ balance: string }[]>(
    `select coalesce(sum(debits_posted - credits_posted), 0) as balance from account where starts_with(code, ?)`,
    [prefix],
  );
  return BigInt(row?.balance ?? 0);
}
