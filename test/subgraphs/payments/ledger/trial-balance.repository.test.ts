import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transaction } from '../../../../subgraphs/kernel/database.js';
import { LedgerAuditService } from '../../../../subgraphs/payments/ledger/audit.service.js';
import { readTrialBalance } from '../../../../subgraphs/payments/ledger/trial-balance.repository.js';
import { Books } from '../../../support/books.js';
import { planOf } from '../../../support/plan.js';

let books: Books;
beforeAll(async () => {
  books = await Books.open();
  const days = ['2026-03-01T10:00:00Z', '2026-03-01T23:59:59.999Z', '2026-03-02T00:00:00Z', '2026-03-04T08:00:00Z'];
  for (const [index, day] of days.entries())
    await transaction(books.orm.em, (em) => books.post(em, 100n * BigInt(index + 1), new Date(day)));
  // Backwards: what was a debit is a credit.
  await transaction(books.orm.em, (em) => books.post(em, -50n, new Date('2026-03-05T08:00:00Z')));
});
afterAll(() => books.close());

const at = (moment: string) => readTrialBalance(books.em, new Date(moment));

/** The same by adding up all postings that there were, which is too dear to be done each time. */
async function addedUp(moment: string) {
  const rows = await books.em.execute<{ class: string; debits: string; credits: string }[]>(
    `select split_part(code, ':', 1) as class, sum(debit) as debits, sum(credit) as credits
       from posting cross join lateral (values (debit_account_id, amount_minor, 0), (credit_account_id, 0, amount_minor)) as side (id, debit, credit)
       join account on account.id = side.id
      where posted_at < ? group by 1 order by 1`,
    [new Date(moment)],
  );
  return rows.map((row) => [row.class, BigInt(row.debits), BigInt(row.credits)]);
}

describe('A trial balance', () => {
  it.each([
    ['2026-03-01T00:00:00Z', []],
    ['2026-03-02T00:00:00Z', [300n]],
    ['2026-03-03T00:00:00Z', [600n]],
    ['2026-03-04T00:00:00Z', [600n]],
    ['2026-03-05T00:00:00Z', [1_000n]],
  ])('of the moment %s has what was posted before, and nothing later (M1)', async (moment, [sum]) => {
    const rows = await at(moment);
    const expected = [
      { accountClass: 'fx.position', currency: 'CNY', debitsMinor: sum, creditsMinor: 0n },
      { accountClass: 'merchant.payable', currency: 'CNY', debitsMinor: 0n, creditsMinor: sum },
    ];
    expect(rows).toEqual(sum ? expected : []);
  });

  it('is what all postings add up to, on each day', async () => {
    for (const day of ['01', '02', '03', '04', '05', '06']) {
      const rows = await at(`2026-03-${day}T00:00:00Z`);
      const found = rows.map(({ accountClass, debitsMinor, creditsMinor }) => [
        accountClass,
        debitsMinor,
        creditsMinor,
      ]);
      expect(found).toEqual(await addedUp(`2026-03-${day}T00:00:00Z`));
    }
  });

  it('is had of a day from its first moment on', async () => {
    const midnight = new Date('2026-03-04T00:00:00Z');
    const of = (now: Date) => new LedgerAuditService(books.orm.em, () => now).trialBalance('2026-03-04');
    expect((await of(midnight)).totals).toMatchObject([{ debits: { minor: 1_000n }, isBalanced: true }]);
    await expect(of(new Date(midnight.getTime() - 1))).rejects.toMatchObject({
      code: 'INVALID_RANGE',
      message: 'This day has not begun.',
    });
  });

  it('reads by an index only what was posted since', async () => {
    const plan = await planOf(books.em, (em) => readTrialBalance(em, new Date('2026-03-04T00:00:00Z')));
    expect(plan).toMatch(/Index Scan using posting_by_day on posting/);
    expect(plan).not.toMatch(/Seq Scan on posting/);
  });
});
