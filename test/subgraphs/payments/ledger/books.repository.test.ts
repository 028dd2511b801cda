import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transaction } from '../../../../subgraphs/kernel/database.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { control, fxPosition, walletClearing } from '../../../../subgraphs/payments/ledger/account.entity.js';
import {
  balanceOf,
  type Discrepancy,
  findDiscrepancies,
} from '../../../../subgraphs/payments/ledger/books.repository.js';
import { book, holding, resolving } from '../../../../subgraphs/payments/ledger/ledger.repository.js';
import { Books } from '../../../support/books.js';

let books: Books;
let payment: PaymentId;

beforeAll(async () => {
  books = await Books.open();
  const [row] = await books.em.execute<{ id: PaymentId }[]>('select id from payment');
  payment = row?.id ?? newId('pay', 'us');
  const [debit, credit] = [walletClearing('PAYPAL', 'USD', payment), control(payment, 'USD')];
  const now = new Date();
  await transaction(books.orm.em, async (em) => {
    await books.post(em, 100n);
    for (const leg of ['pending', 'posted'])
      await book(em, holding(payment, [{ leg, debit, credit, amount: Money.of(7n, 'USD') }], now));
    await book(em, resolving(payment, ['posted'], 'POSTED', now));
    // Born without the event that its service writes with it.
    await em.execute('update payment set event_count = 0');
  });
});
afterAll(() => books.close());

/** What is found after somebody did this behind the back of everything, who then takes it back. */
async function foundAfter(sql: string): Promise<Discrepancy[]> {
  return books.forging(sql, findDiscrepancies);
}

const PAID = "paid_at = now(), completed_at = now(), reason = 'TEST'";
const legs = (authorization: string, acceptance: string) =>
  `insert into payment_authorization (payment_id, status, request_id, authorization_id, capture_id)
     select id, '${authorization}', id, id, id from payment;
   insert into payment_acceptance (payment_id, status, request_id, submitted_at, accepted_at)
     select id, '${acceptance}', id, now(), now() from payment`;

describe('A contradiction in the books', () => {
  it('is found where there is none in no case', async () => {
    expect(await findDiscrepancies(books.em)).toEqual([]);
    expect(await foundAfter('select 1')).toEqual([]);
  });

  it.each([
    ['a total of debits that no posting explains (M1)', 'debits_posted = debits_posted + 1', 'M1'],
    ['a total of debits that is too small (M1)', 'debits_posted = debits_posted - 1', 'M1'],
    ['a total of credits that no posting explains (M1)', 'credits_posted = credits_posted + 1', 'M1'],
    ['pending debits that no hold explains (M3)', 'debits_pending = debits_pending + 1', 'M3'],
    ['pending credits that no hold explains (M3)', 'credits_pending = credits_pending + 1', 'M3'],
  ] as const)('is %s, and then the currency is out of balance too', async (_, change, invariant) => {
    for (const { code } of [fxPosition('CNY', payment), control(payment, 'USD')]) {
      const isEmpty = change.includes('- 1') && code.startsWith('payment:');
      if (isEmpty) continue;
      const currency = code.startsWith('payment:') ? 'USD' : 'CNY';
      const found = await foundAfter(`update account set ${change} where code = '${code}'`);
      expect(found).toHaveLength(2);
      expect(found).toEqual(
        expect.arrayContaining([
          { invariant, subject: code },
          { invariant: 'M1', subject: currency },
        ]),
      );
    }
  });

  it.each(['COMPLETED', 'DECLINED', 'FAILED'])(
    'is a %s payment whose control account is not empty (M2)',
    async (status) => {
      expect(await foundAfter(`update payment set status = '${status}', ${PAID}`)).toEqual([
        { invariant: 'M2', subject: payment },
      ]);
    },
  );

  it.each(['PAID', 'IN_REVIEW'])('is no %s payment whose control account is not empty', async (status) => {
    expect(await foundAfter(`update payment set status = '${status}', ${PAID}`)).toEqual([]);
  });

  it.each([
    [
      "update hold set status = 'POSTED', resolved_at = now() where leg = 'pending'",
      'a hold that is posted without a posting',
    ],
    ["update hold set status = 'VOIDED' where leg = 'posted'", 'a hold that is voided and has a posting'],
    ["update hold set amount_minor = 8 where leg = 'posted'", 'a posting of another amount than its hold'],
    ["update hold set leg = 'other' where leg = 'posted'", 'a posting of another leg than its hold'],
    [
      "update hold set (debit_account_id, credit_account_id) = (credit_account_id, debit_account_id) where leg = 'posted'",
      'a posting the other way round than its hold',
    ],
  ])('is, by %j, %s (M3)', async (sql) => {
    expect(await foundAfter(sql)).toContainEqual({ invariant: 'M3', subject: payment });
  });

  it.each([
    ['COMPLETED', 'HELD', 'ACCEPTED'],
    ['COMPLETED', 'CAPTURED', 'SUBMITTED'],
    ['FAILED', 'HELD', 'REFUSED'],
    ['FAILED', 'CAPTURED', 'REFUSED'],
    ['FAILED', 'VOIDED', 'SUBMITTED'],
    ['DECLINED', 'VOIDED', 'ACCEPTED'],
  ])('is a payment that is %s with its legs %s and %s (M5)', async (status, authorization, acceptance) => {
    const found = await foundAfter(
      `${legs(authorization, acceptance)}; update payment set status = '${status}', ${PAID}`,
    );
    expect(found).toContainEqual({ invariant: 'M5', subject: payment });
  });

  it.each([
    ['COMPLETED', 'CAPTURED', 'ACCEPTED'],
    ['FAILED', 'VOIDED', 'REFUSED'],
    ['DECLINED', 'DECLINED', 'PREPARED'],
    ['PAID', 'HELD', 'ACCEPTED'],
  ])('is no payment that is %s with its legs %s and %s (M5)', async (status, authorization, acceptance) => {
    const found = await foundAfter(
      `${legs(authorization, acceptance)}; update payment set status = '${status}', ${PAID}`,
    );
    expect(found.filter(({ invariant }) => invariant === 'M5')).toEqual([]);
  });

  it.each(['refunded_buy_minor', 'refunded_sell_minor'])('is a %s that no refund explains (M6)', async (column) => {
    const found = await foundAfter(`update payment set status = 'COMPLETED', ${PAID}, ${column} = 1`);
    expect(found).toContainEqual({ invariant: 'M6', subject: payment });
  });

  it.each([
    'update payment set event_count = event_count + 1',
    "insert into payment_event select 'evt_test', id, 1, 'PAID', status, null, now() from payment",
    `insert into payment_event select 'evt_test', id, 2, 'PAID', status, null, now() from payment;
     update payment set event_count = 1`,
  ])('is a count of events that has a gap: %j (M8)', async (sql) => {
    expect(await foundAfter(sql)).toEqual([{ invariant: 'M8', subject: payment }]);
  });

  it.each(["update checkout set status = 'EXPIRED'", 'delete from payment'])(
    'is a checkout without its payment, or a payment without its checkout: %j (M9)',
    async (sql) => {
      const [checkout] = await books.em.execute<{ id: string }[]>('select id from checkout');
      expect(await foundAfter(sql)).toEqual([{ invariant: 'M9', subject: checkout?.id }]);
    },
  );
});

describe('A balance', () => {
  it('is posted debits less posted credits of all accounts whose code begins so', async () => {
    const balances = ['wallet.clearing:PAYPAL', 'payment:', 'merchant.payable', 'wallet', 'nothing'].map((prefix) =>
      balanceOf(books.em, prefix),
    );
    expect(await Promise.all(balances)).toEqual([7n, -7n, -100n, 7n, 0n]);
  });
});
