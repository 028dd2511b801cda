import { describe, expect, it } from '@jest/globals';
import { conforming } from './conforming.js';

const PRODUCTS = [
  { id: 'p1', name: 'Tea', makerId: 'm1' },
  { id: 'p2', name: 'Cup', makerId: 'm2' },
  { id: 'p3', name: 'Pot', makerId: 'm1' },
];
const MAKERS = new Map([
  ['m1', { id: 'm1', name: 'Mei', cityId: 'c1' }],
  ['m2', { id: 'm2', name: 'Ben', cityId: 'c2' }],
]);
const CITIES = new Map([
  ['c1', { id: 'c1', name: 'Chengdu' }],
  ['c2', { id: 'c2', name: 'Basel' }],
]);
const byId = (id: string) => PRODUCTS.find((product) => product.id === id);

const shop = conforming({
  resolvers: {
    Query: {
      products: () => PRODUCTS,
      product: (_: unknown, { id }: { id: string }) => byId(id),
      shelves: () => [[PRODUCTS[0], PRODUCTS[1]], [], [PRODUCTS[2], PRODUCTS[0]]],
      cube: () => [[[PRODUCTS[0]], [PRODUCTS[1], null]], [], null, [[]]],
      cities: () => [...CITIES.values()],
      empty: () => [],
    },
    Product: {
      maker: ({ makerId }: { makerId: string }) => MAKERS.get(makerId),
      twins: ({ id }: { id: string }) => PRODUCTS.filter((product) => product.id !== id),
      stock: ({ id }: { id: string }) => Number(id.slice(1)),
    },
    Maker: { city: ({ cityId }: { cityId: string }) => CITIES.get(cityId) },
  },
  references: {
    Product: ({ id }: { id: string }) => byId(id),
    Maker: ({ id }: { id: string }) => MAKERS.get(id),
    City: ({ id }: { id: string }) => CITIES.get(id),
  },
  subgraphs: {
    products: `
      type Query {
        products: [Product!]!
        product(id: ID!): Product
        shelves: [[Product!]!]!
        cube: [[[Product]]]
        empty: [Product!]!
      }
      type Product @key(fields: "id") { id: ID! name: String! maker: Maker! twins: [Product!]! }
      type Maker @key(fields: "id", resolvable: false) { id: ID! }`,
    makers: `
      type Maker @key(fields: "id") { id: ID! name: String! city: City! }
      type City @key(fields: "id", resolvable: false) { id: ID! }`,
    cities: `
      type Query { cities: [City!]! }
      type City @key(fields: "id") { id: ID! name: String! }`,
    stock: `type Product @key(fields: "id") { id: ID! stock: Int! }`,
  },
});

const servedBy = async (query: string) => (await shop.fetches(query)).map(({ subgraph }) => subgraph);

describe('A plan', () => {
  it('of one fetch answers from one subgraph', async () => {
    await shop.agree('{ products { id name } }');
    expect(await servedBy('{ products { id name } }')).toEqual(['products']);
  });

  it('of a sequence goes from entity to entity over three subgraphs', async () => {
    const query = '{ product(id: "p2") { name maker { name city { name } } } }';
    const { data } = await shop.agree(query);
    expect(data).toEqual({ product: { name: 'Cup', maker: { name: 'Ben', city: { name: 'Basel' } } } });
    expect(await servedBy(query)).toEqual(['products', 'makers', 'cities']);
  });

  it('in parallel asks what does not depend on each other, and keeps the order of the question', async () => {
    await shop.agree('{ cities { name } products { name } }');
    await shop.agree('{ products { name } cities { name } }');
    await shop.agree('{ a: products { name } b: cities { id } c: products { id } d: cities { name } }');
    await shop.agree('{ products { maker { name } stock } cities { name } }');
    await shop.agree('{ products { stock maker { city { name } name id } id name } }');
  });

  it('puts each fetched field where the question has it, not where the fetch came in', async () => {
    const { data } = await shop.agree('{ products { stock name maker { city { name id } name } id } }');
    expect(JSON.stringify(data)).toMatch(
      /^{"products":\[{"stock":1,"name":"Tea","maker":{"city":{"name":.+,"id":.+},"name":"Mei"},"id":"p1"}/,
    );
  });

  it('flattens through lists', () => shop.agree('{ products { maker { name } stock } }'));

  it('flattens through lists of lists, also empty ones', () =>
    shop.agree('{ shelves { stock maker { city { name } } } }'));

  it('flattens through three levels of lists with nulls at each', () =>
    shop.agree('{ cube { name stock maker { name } } }'));

  it('flattens through lists in entities in lists', () =>
    shop.agree('{ products { twins { stock twins { stock maker { name } } } } }'));

  it('fetches nothing more for an empty list', async () => {
    await shop.agree('{ empty { stock maker { name city { name } } } }');
    expect(await servedBy('{ empty { stock maker { name city { name } } } }')).toEqual(['products']);
  });

  it('fetches nothing more for null', async () => {
    await shop.agree('{ product(id: "none") { stock maker { name } } }');
    expect(await servedBy('{ product(id: "none") { stock maker { name } } }')).toEqual(['products']);
  });

  it('comes back to a subgraph that it has left', async () => {
    const query =
      '{ cities { name } product(id: "p1") { maker { city { name } } stock twins { maker { name } stock } } }';
    await shop.agree(query);
  });

  it('meets the same entity by different ways', () =>
    shop.agree(`{
      a: product(id: "p1") { stock maker { name } }
      b: product(id: "p1") { maker { city { name } name } name }
      products { stock maker { id } }
      shelves { maker { name city { id name } } }
    }`));

  it('merges the fields of one place that is asked for in pieces', () =>
    shop.agree(`{
      product(id: "p1") { name }
      product(id: "p1") { maker { name } }
      ...more
      ... { product(id: "p1") { maker { id city { id } } } }
    }
    fragment more on Query { product(id: "p1") { stock maker { city { name } } } }`));

  it('runs the operation that is named, of several', async () => {
    const query = 'query A { products { stock } } query B { cities { name } products { maker { name } } }';
    const { data } = await shop.agree(query, {}, 'B');
    expect(Object.keys(data ?? {})).toEqual(['cities', 'products']);
    await shop.agree(query, {}, 'A');
  });

  it('answers several operations of one gateway at once, each with its own', async () => {
    const queries = PRODUCTS.map(({ id }) => `{ product(id: "${id}") { id stock maker { name city { name } } } }`);
    await Promise.all([...queries, ...queries, ...queries].map((query) => shop.agree(query)));
  });
});
