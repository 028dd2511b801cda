import type { EntityManager } from '@mikro-orm/postgresql';
import type { Currency } from '../../kernel/money/currency.js';

/** What all accounts of one class hold in one currency, in minor units. */
export interface TrialBalanceRow {
  /** What the codes of these accounts begin with: `wallet.clearing`, `merchant.payable` … */
  readonly accountClass: string;
  readonly currency: Currency;
  readonly debitsMinor: bigint;
  readonly creditsMinor: bigint;
}

/**
 * The posted totals of each class and currency as they were just before `moment`. Reckoned back from the running totals
 * by what was posted since (`posting_by_day`), so that a recent day costs what happened since and not all of history;
 * that the running totals are right is M1's to prove. One statement, so one snapshot.
 */
export async function readTrialBalance(em: EntityManager, moment: Date): Promise<TrialBalanceRow[]> {
  const rows = await em.execute<{ class: string; currency: Currency; debits: string; credits: string }[]>(
    `with since as (
       select account_id, sum(debit) as debits, sum(credit) as credits
         from posting cross join lateral (
           values (debit_account_id, amount_minor, 0), (credit_account_id, 0, amount_minor)) as side (account_id, debit, credit)
        where posted_at >= ? group by account_id)
     select split_part(code, ':', 1) as class, currency,
            sum(debits_posted - coalesce(since.debits, 0)) as debits, sum(credits_posted - coalesce(since.credits, 0)) as credits
       from account left join since on since.account_id = account.id
      group by 1, 2 having sum(debits_posted - coalesce(since.debits, 0)) <> 0 or sum(credits_posted - coalesce(since.credits, 0)) <> 0
      order by 2, 1`,
    [moment],
  );
  return rows.map(({ class: accountClass, currency, debits, credits }) => ({
    accountClass,
    currency,
    debitsMinor: BigInt(debits),
    creditsMinor: BigInt(credits),
  }));
}
