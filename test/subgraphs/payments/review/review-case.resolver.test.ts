import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentId } from '../../../../subgraphs/kernel/id.js';
import { readReviewCases } from '../../../../subgraphs/payments/review/review-case.repository.js';
import { asker, codesOf } from '../../../support/ask.js';
import { planOf } from '../../../support/plan.js';
import { World } from '../../../support/world.js';

let world: World;
/** Paid by the network and charged, paid and not charged, refused: each in review, newest first. */
let cases: PaymentId[];
beforeAll(async () => {
  world = await World.start();
  const paid = await world.pay('ok');
  await world.settled(paid);
  const refused = await world.pay('refused');
  await world.settled(refused);
  const untouched = await world.pay('ok');
  await world.settled(untouched);
  cases = [refused, paid];
  for (const id of cases) await review(id, 'NETWORK_OUTCOME_UNKNOWN');
});
afterAll(() => world.stop());

/** What a person finds who comes to it: we have lost sight of what became of it outside. */
async function review(id: PaymentId, reason: string): Promise<void> {
  const em = world.payments.em.fork();
  await em.execute("update payment set status = 'IN_REVIEW', reason = ? where id = ?", [reason, id]);
  await em.execute("update payment_authorization set status = 'HELD' where payment_id = ?", [id]);
  await em.execute("update payment_acceptance set status = 'SUBMITTED', transaction_id = null where payment_id = ?", [
    id,
  ]);
}

const reviewer = asker.reviewer;
const CASES = `query ($first: Int, $after: String) { paymentsInReview(first: $first, after: $after) {
  nodes { reason since payment { id status events { type } }
    authorization { status requestId orderId authorizationId amount { currencyCode } expiresAt }
    acceptance { status requestId networkMerchantId transactionId submittedAt amount { amount currencyCode } }
    walletSays { hold authorizationId captureId amount { amount currencyCode } }
    networkSays { outcome transactionId networkMerchantId code amount { amount } } }
  pageInfo { hasNextPage endCursor } } }`;

interface Case {
  readonly payment: { readonly id: string; readonly events: readonly { readonly type: string }[] };
}
interface Cases {
  readonly paymentsInReview: {
    readonly nodes: readonly Case[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  };
}

async function read(variables: object = {}): Promise<Cases['paymentsInReview']> {
  const { data, errors } = await world.ask(reviewer(), CASES, { ...variables });
  expect(errors).toBeUndefined();
  return (data as unknown as Cases).paymentsInReview;
}

describe('Payments in review', () => {
  it('are listed newest first with both legs and with what wallet and network say now, and no others are', async () => {
    const { nodes } = await read();
    expect(nodes.map(({ payment }) => payment.id)).toEqual(cases);
    const [refused, paid] = nodes;
    expect(paid).toMatchObject({
      reason: 'NETWORK_OUTCOME_UNKNOWN',
      payment: { status: 'IN_REVIEW' },
      authorization: { status: 'HELD', requestId: cases[1], amount: { currencyCode: 'USD' } },
      acceptance: {
        status: 'SUBMITTED',
        requestId: cases[1],
        transactionId: null,
        amount: { amount: '100.00', currencyCode: 'CNY' },
      },
      walletSays: { hold: 'CAPTURED', captureId: expect.any(String), amount: { currencyCode: 'USD' } },
      networkSays: { outcome: 'YES', transactionId: expect.any(String), code: null, amount: { amount: '100.00' } },
    });
    expect(refused).toMatchObject({
      walletSays: { hold: 'RELEASED', captureId: null },
      networkSays: { outcome: 'NO', transactionId: null, code: expect.any(String), amount: null },
    });
    expect(paid?.payment.events.map(({ type }) => type)).toContain('SUBMITTED');
  });

  it('are paged by a cursor that is the place of a payment', async () => {
    const first = await read({ first: 1 });
    expect(first.nodes.map(({ payment }) => payment.id)).toEqual([cases[0]]);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const second = await read({ first: 1, after: first.pageInfo.endCursor });
    expect(second.nodes.map(({ payment }) => payment.id)).toEqual([cases[1]]);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  it('say UNKNOWN for a side that does not answer, and are shown all the same', async () => {
    world.lines.paypal.spoil('/v2/checkout/orders', { kind: 'CUT_BEFORE' }, 100);
    world.lines.wechatPay.spoil('/v3/', { kind: 'CUT_BEFORE' }, 100);
    const { nodes } = await read();
    world.lines.paypal.heal();
    world.lines.wechatPay.heal();
    expect(nodes).toMatchObject([
      { walletSays: { hold: 'UNKNOWN', amount: null }, networkSays: { outcome: 'UNKNOWN', amount: null } },
      { walletSays: { hold: 'UNKNOWN', amount: null }, networkSays: { outcome: 'UNKNOWN', amount: null } },
    ]);
  });

  it('are asked of nobody outside where nothing was asked for before', async () => {
    const em = world.payments.em.fork();
    const kept = await em.execute('select order_id, authorization_id from payment_authorization where payment_id = ?', [
      cases[0],
    ]);
    await em.execute("update payment_authorization set status = 'REQUESTED', order_id = null where payment_id = ?", [
      cases[0],
    ]);
    await em.execute("update payment_acceptance set status = 'PREPARED', submitted_at = null where payment_id = ?", [
      cases[0],
    ]);
    expect(kept).toHaveLength(1);
    expect((await read({ first: 1 })).nodes).toMatchObject([{ walletSays: null, networkSays: null }]);
  });

  it('are for operators with the scope payments:review alone', async () => {
    for (const principal of [
      world.maya.principal,
      world.store('ok').principal,
      world.partner.principal,
      asker.operator(),
    ])
      expect(codesOf(await world.ask(principal, CASES))).toEqual(['FORBIDDEN']);
    expect(codesOf(await world.ask(asker.stranger, CASES))).toEqual(['UNAUTHENTICATED']);
  });

  it('are found by the index on those in review alone', async () => {
    const page = { limit: 10, after: 'pay_us_9', before: null, backward: false };
    const plan = await planOf(world.payments.em.fork(), (em) => readReviewCases(em, page), 'sort');
    expect(plan).toMatch(/Index (Only )?Scan Backward using payment_in_review/);
    expect(plan).not.toMatch(/Seq Scan/);
    expect(plan).not.toMatch(/Sort/);
  });
});
