import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MerchantId, newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf, entities } from '../../../support/ask.js';
import { type MerchantsWorld, merchantsWorld, noodles } from '../merchants.world.js';

let world: MerchantsWorld;
beforeAll(async () => {
  world = await merchantsWorld();
});
afterAll(() => world.close());

const MERCHANT = 'query ($id: ID!) { merchant(id: $id) { id name localName categoryCode city countryCode } }';
const CODES = `query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  merchant(id: $id) { codes(first: $first, after: $after, last: $last, before: $before) {
    nodes { id amount { amount } } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}`;

interface Codes {
  nodes: { id: string; amount: { amount: string } | null }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
}

async function merchantWithCodes(count: number): Promise<{ id: MerchantId; newestFirst: string[] }> {
  const id = await world.merchant();
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const command = { merchantId: id, amount: null, reference: null, idempotencyKey: null };
    ids.push((await world.merchants.services.codes.create(command, asker.member(id))).id);
  }
  return { id, newestFirst: ids.toReversed() };
}

async function page(id: MerchantId, args: object): Promise<Codes> {
  const { data, errors } = await world.ask(asker.member(id), CODES, { id, ...args });
  expect(errors).toBeUndefined();
  return (data as { merchant: { codes: Codes } }).merchant.codes;
}

const idsOf = ({ nodes }: Codes) => nodes.map(({ id }) => id);

describe('A merchant', () => {
  it('is public to everyone who is signed in', async () => {
    const id = await world.merchant();
    const known = [
      asker.traveler(newId('trv', 'us')),
      asker.member(newId('mer', 'cn')),
      asker.partner(newId('ptr', 'us')),
    ];
    for (const principal of known)
      expect((await world.ask(principal, MERCHANT, { id })).data).toEqual({ merchant: { id, ...noodles } });
    expect(codesOf(await world.ask(asker.stranger, MERCHANT, { id }))).toEqual(['UNAUTHENTICATED']);
  });

  it('is found by its own kind of id only', async () => {
    const traveler = asker.traveler(newId('trv', 'us'));
    expect(codesOf(await world.ask(traveler, MERCHANT, { id: newId('mer', 'cn') }))).toEqual(['NOT_FOUND']);
    for (const id of ['', 'x', newId('pay', 'us')])
      expect(codesOf(await world.ask(traveler, MERCHANT, { id }))).toEqual(['INVALID_ID']);
  });

  it('takes its new facts when it is registered again, and the network never overwrites them', async () => {
    const id = newId('mer', 'cn');
    const { merchants } = world.merchants.services;
    const accounts = [{ network: 'WECHAT_PAY', networkMerchantId: '1555000001' }] as const;
    await merchants.register({ id, ...noodles, name: 'Old name', accounts });
    await merchants.register({ id, ...noodles, accounts });
    expect(await merchants.get(id)).toMatchObject(noodles);
    const recognised = await merchants.recognise('WECHAT_PAY', '1555000001', {
      ...noodles,
      name: 'What the network says',
    });
    expect(recognised).toMatchObject({ id, name: noodles.name, origin: 'REGISTERED' });
  });

  it('has its number at the network to itself', async () => {
    const { merchants } = world.merchants.services;
    const accounts = [{ network: 'WECHAT_PAY', networkMerchantId: '1555000003' }] as const;
    const [first, second] = [newId('mer', 'cn'), newId('mer', 'cn')];
    await merchants.register({ id: first, ...noodles, accounts });
    const taken = merchants.register({ id: second, ...noodles, accounts });
    await expect(taken).rejects.toMatchObject({ code: 'NETWORK_ACCOUNT_TAKEN' });
    await expect(merchants.get(second)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const moved = [{ network: 'WECHAT_PAY', networkMerchantId: '1555000004' }] as const;
    const again = merchants.register({ id: first, ...noodles, accounts: moved });
    await expect(again).rejects.toMatchObject({ code: 'NETWORK_ACCOUNT_TAKEN' });
  });

  it('that only the network knows follows what the network says, also heard by several at once', async () => {
    const { merchants } = world.merchants.services;
    const hear = (name: string) => merchants.recognise('WECHAT_PAY', '1555000002', { ...noodles, name });
    const heard = await Promise.all(['A', 'A', 'A', 'A'].map(hear));
    expect(new Set(heard.map(({ id }) => id)).size).toBe(1);
    expect(await hear('B')).toMatchObject({ id: heard[0]?.id, name: 'B', origin: 'NETWORK' });
  });

  it('is found as a reference of other subgraphs, thirty as cheaply as one', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => world.merchant()));
    for (const some of [ids.slice(0, 1), [...ids, newId('mer', 'cn')]]) {
      const representations = some.map((id) => ({ __typename: 'Merchant', id }));
      world.statements();
      const { data } = await world.ask(asker.stranger, entities('... on Merchant { id name }'), { representations });
      expect(world.statements()).toHaveLength(1);
      const known = ids.slice(0, some.length).map((id) => ({ id, name: noodles.name }));
      expect(data?.['_entities']).toEqual(some.length > 1 ? [...known, null] : known);
    }
  });
});

describe('The codes of a merchant', () => {
  it('are read page by page in both directions, newest first', async () => {
    const { id, newestFirst } = await merchantWithCodes(5);
    const first = await page(id, { first: 2 });
    expect(idsOf(first)).toEqual(newestFirst.slice(0, 2));
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await page(id, { first: 3, after: first.pageInfo.endCursor });
    expect(idsOf(rest)).toEqual(newestFirst.slice(2));
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const back = await page(id, { last: 1, before: rest.pageInfo.startCursor });
    expect(idsOf(back)).toEqual(newestFirst.slice(1, 2));
    const oldest = await page(id, { last: 2 });
    expect(idsOf(oldest)).toEqual(newestFirst.slice(3));
    expect(idsOf(await page(id, { first: 0 }))).toEqual([]);
  });

  it('hold amounts exactly and hide what is not a code yet', async () => {
    const { id } = await merchantWithCodes(0);
    const member = asker.member(id);
    const create = 'mutation ($input: CreatePaymentCodeInput!) { createPaymentCode(input: $input) { code { id } } }';
    const input = { merchantId: id, amount: { amount: '1234.56', currencyCode: 'CNY' } };
    await world.ask(member, create, { input });
    world.wire.mode = 'DOWN';
    await world.ask(member, create, { input });
    world.wire.mode = 'PASS';
    expect((await page(id, {})).nodes).toEqual([{ id: expect.anything(), amount: { amount: '1234.56' } }]);
  });

  it('are for its members and operators (C8)', async () => {
    const { id } = await merchantWithCodes(1);
    const strangers = [
      asker.traveler(newId('trv', 'us')),
      asker.member(newId('mer', 'cn')),
      asker.partner(newId('ptr', 'us')),
    ];
    for (const stranger of strangers) {
      const response = await world.ask(stranger, CODES, { id });
      expect(response.data).toEqual({ merchant: { codes: null } });
      expect(codesOf(response)).toEqual(['NOT_FOUND']);
    }
    expect((await world.ask(asker.operator(), CODES, { id })).errors).toBeUndefined();
  });

  it('cost one statement for a page of thirty merchants as for one', async () => {
    const merchants: { id: MerchantId; newestFirst: string[] }[] = [];
    for (let index = 0; index < 30; index += 1) merchants.push(await merchantWithCodes(2));
    const query = entities('... on Merchant { id codes(first: 1) { nodes { id merchant { name } } } }');
    for (const some of [merchants.slice(0, 1), merchants]) {
      const representations = some.map(({ id }) => ({ __typename: 'Merchant', id }));
      world.statements();
      const { data, errors } = await world.ask(asker.operator(), query, { representations });
      expect(errors).toBeUndefined();
      expect(world.statements()).toHaveLength(2);
      expect(data?.['_entities']).toEqual(
        some.map(({ id, newestFirst }) => ({
          id,
          codes: { nodes: [{ id: newestFirst[0], merchant: { name: noodles.name } }] },
        })),
      );
    }
  });

  it('refuse pages and cursors that are none', async () => {
    const { id } = await merchantWithCodes(0);
    for (const args of [{ first: 101 }, { first: -1 }, { first: 1, last: 1 }])
      expect(codesOf(await world.ask(asker.member(id), CODES, { id, ...args }))).toEqual(['INVALID_PAGE']);
    const forged = Buffer.from("k:cod_cn_x' or true").toString('base64url');
    for (const after of ['x', forged])
      expect(codesOf(await world.ask(asker.member(id), CODES, { id, after }))).toEqual(['INVALID_CURSOR']);
  });
});
