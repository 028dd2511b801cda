import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { after, HOUR, MINUTE, SECOND } from '../../../../subgraphs/kernel/clock.js';
import { countUndecided } from '../../../../subgraphs/payments/saga/undecided.repository.js';
import { Books } from '../../../support/books.js';

const born = new Date('2026-06-01T12:00:00Z');
const at = (ms: number) => `'${after(born, ms).toISOString()}'`;

let books: Books;
beforeAll(async () => {
  books = await Books.open();
  // Since when each stands before its step: asked a minute after it was born, paid two minutes after.
  await books.forge(`update payment set created_at = ${at(0)}, pay_by = ${at(3 * MINUTE)}`);
});
afterAll(() => books.close());

/** A payment in these states, and what is then said of it so many ms after it was born. */
async function said(
  states: { payment?: string; authorization: string; acceptance: string; submitted?: boolean; paid?: boolean },
  inMs: number,
) {
  const { payment = 'PROCESSING', authorization, acceptance, submitted = true, paid = false } = states;
  return books.forging(
    `update payment set status = '${payment}', reason = 'TEST', paid_at = ${paid ? at(2 * MINUTE) : 'null'};
     insert into payment_authorization (payment_id, status, request_id, authorization_id, capture_id)
       select id, '${authorization}', id, id, id from payment;
     insert into payment_acceptance (payment_id, status, request_id, submitted_at, accepted_at)
       select id, '${acceptance}', id, ${submitted ? at(MINUTE) : 'null'}, now() from payment`,
    (em) => countUndecided(em, after(born, inMs)),
  );
}

describe('What is undecided', () => {
  it.each([
    ['AUTHORIZE', { authorization: 'REQUESTED', acceptance: 'PREPARED' }, 0, 2 * MINUTE],
    ['SUBMIT', { authorization: 'HELD', acceptance: 'PREPARED' }, 0, MINUTE],
    ['INQUIRE', { authorization: 'HELD', acceptance: 'SUBMITTED' }, MINUTE, 5 * MINUTE],
    [
      'CAPTURE',
      { payment: 'PAID', authorization: 'HELD', acceptance: 'ACCEPTED', paid: true },
      2 * MINUTE,
      10 * MINUTE,
    ],
    ['CAPTURE', { authorization: 'HELD', acceptance: 'ACCEPTED' }, 0, 10 * MINUTE],
    ['VOID', { authorization: 'HELD', acceptance: 'REFUSED' }, MINUTE, HOUR],
    ['VOID', { authorization: 'HELD', acceptance: 'REFUSED', submitted: false }, 3 * MINUTE, HOUR],
  ] as const)(
    'stands before %s since that began, and is overdue after its time',
    async (step, states, sinceMs, patienceMs) => {
      const line = (inMs: number, overdue: number) => [
        { subject: 'payment', step, count: 1, overdue, oldestSeconds: inMs / SECOND },
      ];
      expect(await said(states, sinceMs + patienceMs)).toEqual(line(patienceMs, 0));
      expect(await said(states, sinceMs + patienceMs + SECOND)).toEqual(line(patienceMs + SECOND, 1));
    },
  );

  it('is at once a person’s where it is in review, and nobody’s where it is over', async () => {
    const legs = { authorization: 'HELD', acceptance: 'SUBMITTED' };
    expect(await said({ ...legs, payment: 'IN_REVIEW' }, MINUTE)).toEqual([
      { subject: 'payment', step: 'REVIEW', count: 1, overdue: 1, oldestSeconds: 60 },
    ]);
    expect(await said({ ...legs, payment: 'FAILED' }, MINUTE)).toEqual([]);
  });

  it('is never older than nothing, however the clocks go', async () => {
    const [line] = await said({ authorization: 'REQUESTED', acceptance: 'PREPARED' }, -MINUTE);
    expect(line).toMatchObject({ count: 1, overdue: 0, oldestSeconds: 0 });
  });

  it.each([
    ['REQUESTED', 'TAKE', 10 * MINUTE],
    ['TAKEN', 'GIVE', 10 * MINUTE],
    ['OWED', 'OWED', 0],
  ])('is a refund that is %s: it stands before %s', async (leg, step, patienceMs) => {
    const refunds = (inMs: number) =>
      books.forging(
        `update payment set status = 'FAILED', reason = 'TEST';
         insert into refund (id, payment_id, reason, requested_by, buy_minor, buy_currency, sell_minor, sell_currency,
             spread_minor, fee_minor, status, leg_status, failure_reason, attempt, created_at)
           select 'ref_' || n, id, 'test', 'test', 1, 'CNY', 1, 'USD', 0, 0, 'PROCESSING', '${leg}', 'TEST', 0,
               ${at(0)}::timestamptz + n * interval '1 second' from payment, generate_series(0, 1) n`,
        (em) => countUndecided(em, after(born, inMs)),
      );
    const line = (overdue: number, oldestSeconds: number) => [
      { subject: 'refund', step, count: 2, overdue, oldestSeconds },
    ];
    expect(await refunds(patienceMs)).toEqual(line(0, patienceMs / SECOND));
    expect(await refunds(patienceMs + SECOND)).toEqual(line(1, patienceMs / SECOND + 1));
  });
});
