import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeCursor } from '../../../../subgraphs/kernel/graphql/connection.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import type { PageRequest } from '../../../../subgraphs/kernel/page.js';
import { readPaymentPages } from '../../../../subgraphs/payments/payment/payment.repository.js';
import { asker, codesOf, entities } from '../../../support/ask.js';
import { planOf } from '../../../support/plan.js';
import { World } from '../../../support/world.js';

let world: World;
const statements: string[] = [];
const payments: PaymentId[] = [];

beforeAll(async () => {
  world = await World.start({ onStatement: (sql) => statements.push(sql) });
  for (let index = 0; index < 12; index += 1)
    payments.push(await world.pay(index % 4 === 3 ? 'declined' : 'ok', `${index + 1}.00`));
  for (const paymentId of payments) await world.settled(paymentId);
});
afterAll(() => world.stop());

const PAGE = `query ($representations: [_Any!]!, $first: Int, $after: String, $last: Int, $before: String, $filter: PaymentFilterInput) {
  _entities(representations: $representations) { ... on Traveler {
    payments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      edges { cursor node { id status events { sequence } refunds { nodes { id } } } }
      nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`;

interface PageAnswer {
  edges: { cursor: string; node: { id: string; status: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
}

async function page(args: Record<string, unknown>): Promise<PageAnswer> {
  const representations = [{ __typename: 'Traveler', id: world.maya.id }];
  const { data, errors } = await world.ask(world.maya.principal, PAGE, { representations, ...args });
  expect(errors).toBeUndefined();
  return (data as { _entities: [{ payments: PageAnswer }] })._entities[0].payments;
}

/** Statements of a request alone: what the workers do meanwhile is left out by its kind. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  statements.length = 0;
  await work();
  return statements.filter((sql) => /select .* from ("(payment|payment_event|refund)"|unnest)/is.test(sql)).length;
}

describe('The history of payments', () => {
  it('is paged by key, newest first, without gap or repeat, in both directions', async () => {
    const forward: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { edges, pageInfo }: PageAnswer = await page({ first: 5, after });
      forward.push(...edges.map(({ node }) => node.id));
      after = pageInfo.endCursor;
      more = pageInfo.hasNextPage;
    }
    expect(forward).toEqual([...payments].reverse());
    const last = await page({ last: 5 });
    expect(last.edges.map(({ node }) => node.id)).toEqual(forward.slice(-5));
    expect(last.pageInfo.hasPreviousPage).toBe(true);
    const before = await page({ last: 5, before: last.pageInfo.startCursor });
    expect(before.edges.map(({ node }) => node.id)).toEqual(forward.slice(-10, -5));
  });

  it('is filtered by status', async () => {
    const { edges } = await page({ first: 100, filter: { status: 'DECLINED' } });
    expect(edges.map(({ node }) => node.status)).toEqual(['DECLINED', 'DECLINED', 'DECLINED']);
  });

  it('costs as many statements for a page of twelve as for a page of two', async () => {
    const two = await statementsOf(() => page({ first: 2 }));
    const twelve = await statementsOf(() => page({ first: 12 }));
    expect(twelve).toBe(two);
    expect(twelve).toBe(3);
  });

  it('of many is one statement, each with its own page and what is left of it', async () => {
    const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on Merchant { id payments(first: 2) { nodes { id } pageInfo { hasNextPage } } } } }`;
    const ids = [world.store('ok').merchantId, world.store('slow').merchantId, world.store('declined').merchantId];
    const representations = ids.map((id) => ({ __typename: 'Merchant', id }));
    let answer: Awaited<ReturnType<typeof world.ask>> = {};
    expect(await statementsOf(async () => (answer = await world.ask(world.operator, query, { representations })))).toBe(
      1,
    );
    const ofOk = payments.filter((_, index) => index % 4 !== 3).toReversed();
    const ofDeclined = payments.filter((_, index) => index % 4 === 3).toReversed();
    const page = (id: string, all: string[]) => ({
      id,
      payments: { nodes: all.slice(0, 2).map((each) => ({ id: each })), pageInfo: { hasNextPage: all.length > 2 } },
    });
    expect(answer).toEqual({
      data: { _entities: [page(ids[0] ?? '', ofOk), page(ids[1] ?? '', []), page(ids[2] ?? '', ofDeclined)] },
    });
  });

  it.each([
    ['INVALID_PAGE', { first: 101 }],
    ['INVALID_PAGE', { first: -1 }],
    ['INVALID_PAGE', { first: 1, last: 1 }],
    ['INVALID_CURSOR', { first: 1, after: 'nonsense' }],
    ['INVALID_CURSOR', { first: 1, after: encodeCursor(newId('cod', 'cn')) }],
  ])('answers %s to %j', async (code, args) => {
    const representations = [{ __typename: 'Traveler', id: world.maya.id }];
    expect(codesOf(await world.ask(world.maya.principal, PAGE, { representations, ...args }))).toEqual([code]);
  });

  it('of somebody else is not there', async () => {
    const representations = [{ __typename: 'Traveler', id: world.maya.id }];
    for (const principal of [
      world.daniel.principal,
      world.store('ok').principal,
      world.partner.principal,
      asker.stranger,
    ])
      expect(codesOf(await world.ask(principal, PAGE, { representations, first: 1 }))).toEqual(['NOT_FOUND']);
    const merchant = [{ __typename: 'Merchant', id: world.store('ok').merchantId }];
    const query = entities('... on Merchant { payments(first: 1) { nodes { id } } }');
    expect(codesOf(await world.ask(world.maya.principal, query, { representations: merchant }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await world.ask(world.store('ok').principal, query, { representations: merchant }))).toEqual([]);
  });

  it('uses an index for every listing', async () => {
    const first = { limit: 10, after: null, before: null, backward: false };
    const pages: PageRequest[] = [
      first,
      { ...first, after: 'pay_us_1' },
      { ...first, before: 'pay_us_1', backward: true },
    ];
    for (const kind of ['trv', 'mer'] as const)
      for (const page of pages)
        for (const filter of [{}, { status: 'COMPLETED' as const }]) {
          const plan = await planOf(world.payments.em.fork(), (em) => readPaymentPages(em, kind, ['x'], filter, page));
          // In the order in which it is read: nothing is sorted before the limit.
          expect(plan).toMatch(/-> {2}Limit [^\n]*\n +-> {2}Index Scan/);
          expect(plan).not.toMatch(/Seq Scan/);
        }
  });
});

describe('A payment', () => {
  const QUERY = `query ($id: ID!) { payment(id: $id) { id status isFinal declineReason traveler { id } wallet { id } merchant { id } quote { id } total { formatted(locale: "de-DE") } } }`;

  it('shows the payer everything, the merchant and the partner nothing of the payer', async () => {
    const [id] = payments;
    const mine = await world.ask(world.maya.principal, QUERY, { id });
    expect(mine.data).toMatchObject({
      payment: { traveler: { id: world.maya.id }, wallet: { id: world.maya.walletId }, isFinal: true },
    });
    for (const principal of [world.store('ok').principal, world.partner.principal]) {
      const { data, errors } = await world.ask(principal, QUERY, { id });
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ payment: { id, traveler: null, wallet: null } });
    }
  });

  it('of somebody else is not there, like one that never was', async () => {
    const answers = [
      await world.ask(world.daniel.principal, QUERY, { id: payments[0] }),
      await world.ask(world.maya.principal, QUERY, { id: newId('pay', 'us') }),
    ];
    expect(answers.map((answer) => answer.errors?.[0]?.message)).toEqual([
      answers[0]?.errors?.[0]?.message,
      answers[0]?.errors?.[0]?.message,
    ]);
    expect(answers.flatMap(codesOf)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(codesOf(await world.ask(world.maya.principal, QUERY, { id: 'pay_us_nonsense' }))).toEqual(['INVALID_ID']);
    expect(codesOf(await world.ask(asker.stranger, QUERY, { id: payments[0] }))).toEqual(['UNAUTHENTICATED']);
  });

  it('says why it was declined', async () => {
    const { data } = await world.ask(world.maya.principal, QUERY, { id: payments[3] });
    expect(data).toMatchObject({ payment: { status: 'DECLINED', declineReason: 'WALLET_DECLINED' } });
  });
});

describe('A delivered event', () => {
  const DELIVERY = entities('... on PaymentEventDelivery { sequence type status terminal payment { id status } }');

  it("is resolved with the listener's own rights, for each event", async () => {
    const stream = await world.bus.subscribe(`payment.${payments[0]}`, 'BEGINNING');
    const { value } = await stream.next();
    await stream.return();
    const representations = [{ __typename: 'PaymentEventDelivery', id: value?.payload['id'] }];
    const { data } = await world.ask(world.maya.principal, DELIVERY, { representations });
    expect(data).toMatchObject({
      _entities: [
        { sequence: 1, type: 'CONFIRMED', status: 'PROCESSING', terminal: false, payment: { id: payments[0] } },
      ],
    });
    expect(codesOf(await world.ask(world.daniel.principal, DELIVERY, { representations }))).toEqual(['NOT_FOUND']);
  });

  it('reaches the payer, the merchant and the granted partner, in order, without a gap', async () => {
    for (const subject of [
      `payment.${payments[0]}`,
      `merchant.${world.store('ok').merchantId}`,
      `partner.${world.partner.id}`,
    ]) {
      const stream = await world.bus.subscribe(subject, 'BEGINNING');
      const types: unknown[] = [];
      while (types.length < 5) {
        const { value } = await stream.next();
        if (value?.payload['paymentId'] === payments[0]) types.push(value?.payload['type']);
      }
      await stream.return();
      expect(types).toEqual(['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED']);
    }
  });
});
