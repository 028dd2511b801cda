import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import fc from 'fast-check';
import { openDatabase, transaction } from '../../../../subgraphs/kernel/database.js';
import { InvariantViolation } from '../../../../subgraphs/kernel/error.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { Checkout } from '../../../../subgraphs/payments/checkout/checkout.entity.js';
import {
  control,
  feeRevenue,
  fxPosition,
  merchantPayable,
  processorFee,
  spreadRevenue,
  walletClearing,
} from '../../../../subgraphs/payments/ledger/account.entity.js';
import { balanceOf, findDiscrepancies } from '../../../../subgraphs/payments/ledger/books.repository.js';
import {
  book,
  holding,
  type Movement,
  posting,
  resolving,
} from '../../../../subgraphs/payments/ledger/ledger.repository.js';
import {
  holdBoth,
  holdNetwork,
  holdWallet,
  postNetwork,
  postRefundGiven,
  postRefundTaken,
  postWallet,
  voidNetwork,
  voidWallet,
} from '../../../../subgraphs/payments/ledger/ledger.service.js';
import { migrations } from '../../../../subgraphs/payments/migrations/migrations.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { Refund } from '../../../../subgraphs/payments/refund/refund.entity.js';
import { atOnce } from '../../../support/barrier.js';
import { migratedDatabase } from '../../../support/database.migrated.js';
import { examplePrice, openCheckout } from '../../../support/payment.js';

const now = new Date();
let orm: MikroORM;
let payment: Payment;

const open = (url: string) =>
  openDatabase({ name: 'ledger-test', url, entities: [Checkout, Payment, Refund], migrations });

async function newPayment(price = examplePrice): Promise<Payment> {
  return transaction(orm.em, async (em) => {
    const checkout = openCheckout(price);
    checkout.confirm(now);
    em.persist(checkout);
    await em.flush();
    const born = Payment.of(checkout, now);
    em.persist(born);
    return born;
  });
}

const hold = (em: EntityManager, ...entry: Parameters<typeof holding>) => book(em, holding(...entry));
const post = (em: EntityManager, ...entry: Parameters<typeof posting>) => book(em, posting(...entry));
const postHolds = (em: EntityManager, id: PaymentId, legs: readonly string[], at: Date) =>
  book(em, resolving(id, legs, 'POSTED', at));
const voidHolds = (em: EntityManager, id: PaymentId, legs: readonly string[], at: Date) =>
  book(em, resolving(id, legs, 'VOIDED', at));
const booked = (work: (em: EntityManager) => Promise<void>) => transaction(orm.em, work);
const balance = (prefix: string) => balanceOf(orm.em.fork(), prefix);

beforeAll(async () => {
  const url = await migratedDatabase('payments');
  orm = await open(url);
});
afterAll(() => orm.close());
beforeEach(async () => {
  payment = await newPayment();
});

function move(leg: string, fen: bigint): Movement {
  const { id, merchantId } = payment;
  return {
    leg,
    debit: fxPosition('CNY', id),
    credit: merchantPayable(merchantId, 'CNY', id),
    amount: Money.of(fen, 'CNY'),
  };
}

type Line = [leg: string, debit: string, credit: string, minor: bigint, currency: string, of: string | null];

/** All that was posted of a payment, in order. */
async function postingsOf({ id }: Payment): Promise<Line[]> {
  const rows = await orm.em.fork().execute<Record<'leg' | 'debit' | 'credit' | 'minor' | 'currency' | 'of', string>[]>(
    `select leg, debit.code as debit, credit.code as credit, amount_minor as minor, posting.currency, refund_id as of
       from posting join account debit on debit.id = debit_account_id join account credit on credit.id = credit_account_id
      where payment_id = ? and posted_at = ? order by posting.id`,
    [id, now],
  );
  return rows.map(({ leg, debit, credit, minor, currency, of }) => [leg, debit, credit, BigInt(minor), currency, of]);
}

/** What is set aside for a payment: between which accounts, whoever the merchant, on whichever of their parts. */
async function heldOf({ id }: Payment): Promise<object[]> {
  return orm.em.fork().execute<object[]>(
    `select leg, split_part(debit.code, ':', 1) as debit, split_part(credit.code, ':', 1) as credit,
            amount_minor, hold.currency, status, created_at
       from hold join account debit on debit.id = debit_account_id join account credit on credit.id = credit_account_id
      where payment_id = ? order by leg`,
    [id],
  );
}

describe('The ledger', () => {
  it('books the worked example: 14.11 held, then 13.89 exchanged, 0.22 earned, 100.00 owed (M1, M2)', async () => {
    await booked((em) => book(em, holdWallet(payment, now)));
    await booked((em) => book(em, holdNetwork(payment, now)));
    expect(await balance('wallet.clearing')).toBe(0n);
    await booked((em) => book(em, postNetwork(payment, now)));
    await booked((em) => book(em, postWallet(payment, null, now)));
    const clearing = walletClearing('PAYPAL', 'USD', payment.id).code;
    expect(await balance(clearing)).toBe(1_411n);
    expect(await balance(`payment:${payment.id}`)).toBe(0n);
    expect(await balance(`merchant.payable:${payment.merchantId}`)).toBe(-10_000n);
    await transaction(orm.em, async (em) => {
      const paid = await em.findOneOrFail(Payment, payment.id);
      paid.paid(now);
      paid.completed(now);
    });
  });

  it('says of each step of a payment which accounts it moves, and its refund is the mirror of that', async () => {
    payment = await newPayment({ buy: 10_000n, sell: 1_450n, spread: 22n, fee: 40n });
    const { id, merchantId } = payment;
    await booked((em) => book(em, holdWallet(payment, now)));
    await booked((em) => book(em, holdNetwork(payment, now)));
    expect(await postingsOf(payment)).toEqual([]);
    await booked((em) => book(em, postNetwork(payment, now)));
    const from = control(id, 'USD').code;
    const exchange = fxPosition('USD', id).code;
    const [spread, fee] = [spreadRevenue('USD', id).code, feeRevenue('USD', id).code];
    const [position, payable] = [fxPosition('CNY', id).code, merchantPayable(merchantId, 'CNY', id).code];
    const network: Line[] = [
      ['exchange', from, exchange, 1_388n, 'USD', null],
      ['spread', from, spread, 22n, 'USD', null],
      ['fee', from, fee, 40n, 'USD', null],
      ['merchant', position, payable, 10_000n, 'CNY', null],
    ];
    expect(await postingsOf(payment)).toEqual(network);
    await booked((em) => book(em, postWallet(payment, 72n, now)));
    const clearing = walletClearing('PAYPAL', 'USD', id).code;
    const wallet: Line[] = [
      ['wallet', clearing, from, 1_450n, 'USD', null],
      ['processor-fee', processorFee('PAYPAL', 'USD', id).code, clearing, 72n, 'USD', null],
    ];
    expect(await postingsOf(payment)).toEqual([...network, ...wallet]);
    const refund = await transaction(orm.em, async (em) => {
      const requested = Refund.request(payment, Money.of(5_000n, 'CNY'), 'returned', merchantId, now);
      em.persist(requested);
      return requested;
    });
    await booked((em) => book(em, postRefundTaken(payment, refund, now)));
    await booked((em) => book(em, postRefundGiven(payment, refund, now)));
    expect((await postingsOf(payment)).slice(network.length + wallet.length)).toEqual([
      ['exchange', exchange, from, 694n, 'USD', refund.id],
      ['spread', spread, from, 11n, 'USD', refund.id],
      ['fee', fee, from, 20n, 'USD', refund.id],
      ['merchant', payable, position, 5_000n, 'CNY', refund.id],
      ['wallet', from, clearing, 725n, 'USD', refund.id],
    ]);
  });

  it('holds wallet and network at once as it does one after the other', async () => {
    const other = await newPayment();
    await booked((em) => book(em, holdWallet(payment, now)));
    await booked((em) => book(em, holdNetwork(payment, now)));
    await booked((em) => book(em, holdBoth(other, now)));
    const [apart, together] = [await heldOf(payment), await heldOf(other)];
    expect(apart).toHaveLength(4);
    expect(together).toEqual(apart);
    await booked((em) => book(em, voidNetwork(other, now)));
    await booked((em) => book(em, voidWallet(other, now)));
    expect(await balance(`payment:${other.id}`)).toBe(0n);
  });

  it('has no posting for a processor that kept nothing', async () => {
    await booked((em) => book(em, holdWallet(payment, now)));
    await booked((em) => book(em, postWallet(payment, 0n, now)));
    expect((await postingsOf(payment)).map(([leg]) => leg)).toEqual(['wallet']);
  });

  it('leaves no trace of amounts of zero, also where there are no others', async () => {
    await booked((em) => hold(em, payment.id, [move('a', 0n)], now));
    await booked((em) => post(em, payment.id, null, [move('b', 0n)], now));
    await booked((em) => post(em, payment.id, null, [move('c', 0n), move('d', 1n)], now));
    const [row] = await orm.em
      .fork()
      .execute<{ holds: number }[]>('select count(*)::int as holds from hold where payment_id = ?', [payment.id]);
    expect(row?.holds).toBe(0);
    expect((await postingsOf(payment)).map(([leg]) => leg)).toEqual(['d']);
  });

  it('takes a name as it is, whatever is in it', async () => {
    await booked((em) => post(em, payment.id, null, [move('a, {"b"}', 1n)], now));
    expect((await postingsOf(payment)).map(([leg]) => leg)).toEqual(['a, {"b"}']);
  });

  it('posts less than nothing the other way round', async () => {
    await booked((em) => post(em, payment.id, null, [move('a', -3n)], now));
    const { debit, credit } = move('a', 3n);
    expect(await postingsOf(payment)).toEqual([['a', credit.code, debit.code, 3n, 'CNY', null]]);
  });

  it('leaves nothing behind when both holds are voided (M2)', async () => {
    await booked((em) => book(em, holdWallet(payment, now)));
    await booked((em) => book(em, holdNetwork(payment, now)));
    await booked((em) => book(em, voidNetwork(payment, now)));
    await booked((em) => book(em, voidWallet(payment, now)));
    const rows = await orm.em
      .fork()
      .execute<{ pending: string }[]>(
        `select debits_pending + credits_pending as pending from account where code = ?`,
        [control(payment.id, 'USD').code],
      );
    expect(rows).toEqual([{ pending: '0' }]);
  });

  it('resolves a hold once (M3)', async () => {
    await booked((em) => hold(em, payment.id, [move('a', 100n)], now));
    await booked((em) => postHolds(em, payment.id, ['a'], now));
    await expect(booked((em) => voidHolds(em, payment.id, ['a'], now))).rejects.toThrow(InvariantViolation);
    await expect(booked((em) => postHolds(em, payment.id, ['a'], now))).rejects.toThrow(InvariantViolation);
  });

  it('resolves a hold once also when two try at the same moment (M3)', async () => {
    await booked((em) => hold(em, payment.id, [move('a', 100n)], now));
    const resolve = [postHolds, voidHolds, postHolds].map(
      (by) => () =>
        booked((em) => by(em, payment.id, ['a'], now)).then(
          () => 'resolved',
          (thrown: Error) => thrown.constructor.name,
        ),
    );
    const barrier = { sql: 'select id from hold where payment_id = ? for update', values: [payment.id] };
    const tries = await atOnce(orm.em, { ...barrier, whose: 'ledger-test' }, resolve);
    expect(tries).toEqual(['resolved', 'ForbiddenTransition', 'ForbiddenTransition']);
  });

  it('books a leg of a payment once', async () => {
    await booked((em) => post(em, payment.id, null, [move('a', 100n)], now));
    await expect(booked((em) => post(em, payment.id, null, [move('a', 100n)], now))).rejects.toThrow(/unique/);
  });

  it('refuses to mix currencies in one movement (M1)', async () => {
    const mixed = { ...move('a', 1n), amount: Money.of(1n, 'USD') };
    const elsewhere = { ...move('a', 1n), debit: control(payment.id, 'USD') };
    const nowhere = { ...move('a', 1n), credit: control(payment.id, 'USD') };
    for (const movement of [mixed, elsewhere, nowhere])
      await expect(booked((em) => post(em, payment.id, null, [movement], now))).rejects.toThrow(
        'one currency a movement (M1)',
      );
  });

  it('never changes or removes a posting, not even for its owner', async () => {
    await booked((em) => post(em, payment.id, null, [move('a', 100n)], now));
    for (const sql of ['update posting set amount_minor = 1', 'delete from posting', 'truncate posting'])
      await expect(orm.em.fork().execute(sql)).rejects.toThrow(/permission denied|not allowed/);
  });

  it('keeps its totals right under movements side by side, without a deadlock (M1, M3)', async () => {
    const payments = await Promise.all(Array.from({ length: 12 }, () => newPayment()));
    await Promise.all(
      payments.map(async (each, index) => {
        await booked((em) => book(em, holdWallet(each, now)));
        await booked((em) => book(em, holdNetwork(each, now)));
        if (index % 2) return booked((em) => book(em, postNetwork(each, now)));
        await booked((em) => book(em, voidNetwork(each, now)));
        return booked((em) => book(em, voidWallet(each, now)));
      }),
    );
    const contradictions = await findDiscrepancies(orm.em.fork());
    expect(contradictions.filter(({ invariant }) => invariant === 'M1' || invariant === 'M3')).toEqual([]);
  });

  it('lets many open and change the same accounts at the same moment, in whatever order they name them', async () => {
    const payments = await Promise.all(Array.from({ length: 16 }, () => newPayment()));
    const code = newId('mer', 'cn');
    const account = (name: string) => ({ code: `test:${code}:${name}`, currency: 'CNY' as const });
    const movements = (index: number): Movement[] => {
      const amount = Money.of(100n, 'CNY');
      const around = ['a', 'b', 'c', 'd'].map((name, place, names) => {
        const next = names[(place + 1) % names.length] ?? name;
        return { leg: `leg-${name}`, debit: account(name), credit: account(next), amount };
      });
      return index % 2 ? around : around.toReversed();
    };
    const legs = movements(0).map(({ leg }) => leg);
    // Not by `transaction`, which would try again after a deadlock: there must be none.
    const once = (work: (em: EntityManager) => Promise<void>) => orm.em.fork().transactional(work);
    await Promise.all(
      payments.map(async (each, index) => {
        await once((em) => hold(em, each.id, movements(index), now));
        await once((em) => (index % 3 ? postHolds : voidHolds)(em, each.id, legs, now));
        await once((em) =>
          post(
            em,
            each.id,
            null,
            movements(index + 1).map((every) => ({ ...every, leg: `${every.leg}-2` })),
            now,
          ),
        );
      }),
    );
    const posted = payments.filter((_, index) => index % 3).length + payments.length;
    const rows = await orm.em.fork().execute(
      `select debits_posted::int as debits, credits_posted::int as credits, debits_pending + credits_pending as pending
           from account where starts_with(code, ?)`,
      [`test:${code}:`],
    );
    const total = posted * 100;
    expect(rows).toEqual(Array.from({ length: 4 }, () => ({ debits: total, credits: total, pending: '0' })));
  });

  it('agrees with its postings after any sequence of movements (M1)', async () => {
    const step = fc.record({
      amount: fc.bigInt({ min: -500n, max: 500n }),
      how: fc.constantFrom('post', 'hold+post', 'hold+void', 'hold'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        payment = await newPayment();
        for (const [index, { amount, how }] of steps.entries()) {
          const leg = `leg-${index}`;
          if (how === 'post') await booked((em) => post(em, payment.id, null, [move(leg, amount)], now));
          else {
            const fen = amount < 0n ? -amount : amount;
            await booked((em) => hold(em, payment.id, [move(leg, fen)], now));
            if (how === 'hold+post') await booked((em) => postHolds(em, payment.id, [leg], now));
            if (how === 'hold+void') await booked((em) => voidHolds(em, payment.id, [leg], now));
          }
        }
        const contradictions = await findDiscrepancies(orm.em.fork());
        expect(contradictions.filter(({ invariant }) => invariant === 'M1' || invariant === 'M3')).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('would show a total that somebody changed behind its back (M1)', async () => {
    await booked((em) => post(em, payment.id, null, [move('a', 100n)], now));
    const code = merchantPayable(payment.merchantId, 'CNY', payment.id).code;
    await orm.em.fork().execute('update account set credits_posted = credits_posted + 1 where code = ?', [code]);
    expect(await findDiscrepancies(orm.em.fork())).toContainEqual({ invariant: 'M1', subject: code });
    await orm.em.fork().execute('update account set credits_posted = credits_posted - 1 where code = ?', [code]);
  });
});
