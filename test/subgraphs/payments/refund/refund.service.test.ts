import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { after, DAY, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import { balanceOf } from '../../../../subgraphs/payments/ledger/books.repository.js';
import { codesOf } from '../../../support/ask.js';
import { atOnce } from '../../../support/barrier.js';
import type { Fault } from '../../../support/fault.proxy.js';
import { World } from '../../../support/world.js';

let world: World;
let ahead = 0;
let merchantId: ReturnType<World['store']>['merchantId'];

beforeAll(async () => {
  world = await World.start({ now: () => after(systemClock(), ahead) });
  merchantId = world.store('ok').merchantId;
});
afterAll(() => world.stop());
beforeEach(() => {
  ahead = 0;
  world.lines.paypal.heal();
  world.lines.wechatPay.heal();
});

async function completed(yuan = '100.00'): Promise<PaymentId> {
  const paymentId = await world.pay('ok', yuan);
  expect(await world.settled(paymentId)).toBe('COMPLETED');
  return paymentId;
}

async function refundsOutside(paymentId: PaymentId) {
  const [paypal, wechatPay] = await Promise.all([world.books('paypal'), world.books('wechatPay')]);
  const amounts = (entries: { paymentId: string; amount: string }[] = []) =>
    entries.filter((entry) => entry.paymentId === paymentId).map(({ amount }) => amount);
  return { paypal: amounts(paypal['refunds']), wechatPay: amounts(wechatPay['refunds']) };
}

const sum = (amounts: string[]) => amounts.reduce((total, amount) => total + BigInt(amount.replace('.', '')), 0n);
const expectSoundBooks = async () => expect(await world.payments.findDiscrepancies()).toEqual([]);

describe('A refund', () => {
  it('takes from the merchant, gives to the payer, at the original rate, to the last cent (M6)', async () => {
    const checkout = await world.checkout('ok');
    const { data } = await world.confirm(checkout.id);
    const paymentId = (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
    await world.settled(paymentId);
    for (const yuan of ['33.33', '33.33', null])
      expect(codesOf(await world.refund(paymentId, yuan, merchantId))).toEqual([]);
    await world.settled(paymentId);
    const outside = await refundsOutside(paymentId);
    expect(outside.wechatPay.sort()).toEqual(['33.33', '33.33', '33.34']);
    expect(sum(outside.paypal)).toBe(BigInt(checkout.total.amount.replace('.', '')));
    expect(await balanceOf(world.payments.em.fork(), `payment:${paymentId}`)).toBe(0n);
    await expectSoundBooks();
  });

  it('is announced from request to end, numbered after the payment (M8)', async () => {
    const paymentId = await completed();
    await world.refund(paymentId, '10.00', merchantId);
    await world.settled(paymentId);
    const { data } = await world.ask(
      world.store('ok').principal,
      'query ($id: ID!) { payment(id: $id) { status refundedAmount { amount } events { type sequence terminal } refunds { nodes { status amount { amount } } pageInfo { hasNextPage } } } }',
      { id: paymentId },
    );
    expect(data).toMatchObject({
      payment: {
        status: 'COMPLETED',
        refundedAmount: { amount: '10.00' },
        refunds: { nodes: [{ status: 'COMPLETED', amount: { amount: '10.00' } }], pageInfo: { hasNextPage: false } },
      },
    });
    const { events } = (data as { payment: { events: { type: string; terminal: boolean }[] } }).payment;
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['REFUND_REQUESTED', 'REFUNDED']);
    expect(events.at(-1)?.terminal).toBe(true);
  });

  it.each([
    ['INVALID_MONEY', 'zero', '0.00'],
    ['INVALID_MONEY', 'less than zero', '-1.00'],
    ['INVALID_MONEY', 'too many decimals', '1.001'],
    ['REFUND_EXCEEDS_PAYMENT', 'more than was paid', '100.01'],
  ])('answers %s to %s', async (code, _, yuan) => {
    const paymentId = await completed();
    expect(codesOf(await world.refund(paymentId, yuan, merchantId))).toEqual([code]);
  });

  it('is the business of the merchant: payers, other merchants and strangers find nothing', async () => {
    const paymentId = await completed();
    const REFUND = 'mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { refund { id } } }';
    const input = { paymentId, reason: 'Mine', idempotencyKey: randomUUID() };
    for (const principal of [world.maya.principal, world.daniel.principal, world.partner.principal])
      expect(codesOf(await world.ask(principal, REFUND, { input }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await world.refund(paymentId, '1.00', newId('mer', 'cn')))).toEqual(['NOT_FOUND']);
    const claims = {
      kind: 'MERCHANT',
      subject: newId('mem', 'cn'),
      scopes: ['payments:read'],
      merchantIds: [merchantId],
    } as const;
    expect(codesOf(await world.ask(new Principal(claims), REFUND, { input }))).toEqual(['FORBIDDEN']);
  });

  it('is not possible before completion, after half a year, without a reason, or for a failed payment', async () => {
    const declined = await world.pay('declined');
    await world.settled(declined);
    expect(codesOf(await world.refund(declined, '1.00', world.store('declined').merchantId))).toEqual([
      'REFUND_NOT_ALLOWED',
    ]);
    const paymentId = await completed();
    expect(codesOf(await world.refund(paymentId, '1.00', merchantId, randomUUID(), '  '))).toEqual(['INVALID_REASON']);
    ahead = 181 * DAY;
    expect(codesOf(await world.refund(paymentId, '1.00', merchantId))).toEqual(['REFUND_NOT_ALLOWED']);
  });

  it('has a reason that the payer can read, of at most eighty characters as people count them', async () => {
    const paymentId = await completed();
    const withReason = async (reason: string) =>
      codesOf(await world.refund(paymentId, '0.10', merchantId, randomUUID(), reason));
    for (const reason of ['', 'a\u0000b', 'a\u202eb', '\ud800', '🍜'.repeat(81)])
      expect([reason, await withReason(reason)]).toEqual([reason, ['INVALID_REASON']]);
    for (const reason of ['🍜'.repeat(80), '茶杯破了 👨‍👩‍👧'])
      expect([reason, await withReason(reason)]).toEqual([reason, []]);
  });

  it('happens once for one key, also when two ask at once; other content under the key is an error', async () => {
    const paymentId = await completed();
    const key = randomUUID();
    await Promise.all([
      world.refund(paymentId, '10.00', merchantId, key),
      world.refund(paymentId, '10.00', merchantId, key),
    ]);
    await world.settled(paymentId);
    expect((await refundsOutside(paymentId)).wechatPay).toEqual(['10.00']);
    expect(codesOf(await world.refund(paymentId, '11.00', merchantId, key))).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  it('never exceeds the payment when two want the rest at once (M6)', async () => {
    const paymentId = await completed();
    const answers = await atOnce(
      world.payments.em,
      { sql: 'select id from payment where id = ? for update', values: [paymentId] },
      ['60.00', '60.00', null].map((yuan) => () => world.refund(paymentId, yuan, merchantId)),
    );
    // All that is left is what is left when it is asked for.
    expect(answers.map(codesOf)).toEqual([[], ['REFUND_EXCEEDS_PAYMENT'], []]);
    await world.settled(paymentId);
    expect((await refundsOutside(paymentId)).wechatPay.sort()).toEqual(['40.00', '60.00']);
    await expectSoundBooks();
  });

  const faults: readonly (readonly [string, 'paypal' | 'wechatPay', string, Fault])[] = [
    ['the network cannot be reached', 'wechatPay', '/refunds', { kind: 'CUT_BEFORE' }],
    ['the answer of the network is lost', 'wechatPay', '/refunds', { kind: 'CUT_AFTER' }],
    ['the answer of the network is garbage', 'wechatPay', '/refunds', { kind: 'GARBAGE_AFTER' }],
    ['the network is asked late', 'wechatPay', '/refunds', { kind: 'LATE', ms: 2_500 }],
    ['the wallet is asked late', 'paypal', '/refund', { kind: 'LATE', ms: 2_500 }],
    ['the wallet cannot be reached', 'paypal', '/refund', { kind: 'CUT_BEFORE' }],
    ['the answer of the wallet is lost', 'paypal', '/refund', { kind: 'CUT_AFTER' }],
    ['the wallet fails', 'paypal', '/refund', { kind: 'STATUS_BEFORE', status: 500 }],
  ];

  it.each(faults)('is taken and given once although %s', async (_, side, path, fault) => {
    const paymentId = await completed();
    world.lines[side].spoil(path, fault);
    await world.refund(paymentId, '50.00', merchantId);
    await world.settled(paymentId);
    expect(world.lines[side].unspent).toBe(0);
    if (fault.kind === 'LATE') await new Promise((resolve) => setTimeout(resolve, 2_000));
    const outside = await refundsOutside(paymentId);
    expect(outside.wechatPay).toEqual(['50.00']);
    expect(outside.paypal).toHaveLength(1);
    await expectSoundBooks();
  });

  it('goes on after a restart between its two halves', async () => {
    const paymentId = await completed();
    world.lines.paypal.spoil('/refund', { kind: 'CUT_BEFORE' }, 1_000);
    await world.refund(paymentId, '50.00', merchantId);
    await world.eventually(5_000, async () => ((await refundsOutside(paymentId)).wechatPay.length > 0 ? true : null));
    await world.restartPayments();
    world.lines.paypal.heal();
    await world.settled(paymentId, 30_000);
    expect((await refundsOutside(paymentId)).paypal).toHaveLength(1);
    await expectSoundBooks();
  });

  it('of a few fen gives the payer nothing yet, and asks the wallet nothing', async () => {
    const paymentId = await completed();
    await world.refund(paymentId, '0.03', merchantId);
    await world.settled(paymentId);
    expect(await refundsOutside(paymentId)).toEqual({ paypal: [], wechatPay: ['0.03'] });
    await world.refund(paymentId, null, merchantId);
    await world.settled(paymentId);
    await expectSoundBooks();
  });
});
