import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { brief, disagreements } from './agreement.js';
import { refusal } from './conforming.js';
import { type AskedContext, compose, type Federation, federate, ways } from './federation.js';
import { Monolith, type Resolvers } from './monolith.js';

// Requests that run at the same time: an engine may merge what they fetch, but never their answers, errors or rights.

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const item = (id: string) => ({ id });
const slowly = async ({ id }: { id: string }) => {
  await sleep(Number(id.slice(1)) % 4);
  return { id };
};

let added = 0;
const resolvers: Resolvers = {
  Query: {
    items: (_: unknown, { ids }: { ids: string[] }) => ids.map(item),
    item: (_: unknown, { id }: { id: string }) => item(id),
    me: (_: unknown, _given: unknown, { asker }: AskedContext) => asker,
  },
  Mutation: {
    add: () => {
      added += 1;
      return item('i1');
    },
  },
  Item: {
    price: ({ id }: { id: string }, { in: currency }: { in: string }) => `${id.length}${id} ${currency}`,
    stock: ({ id }: { id: string }) => {
      if (id.endsWith('7')) throw refusal(`NO_STOCK_${id.toUpperCase()}`);
      return id.endsWith('9') ? null : Number(id.slice(1));
    },
    mine: ({ id }: { id: string }, _given: unknown, { asker }: AskedContext) => `${id} of ${asker}`,
    secret: ({ id }: { id: string }, _given: unknown, { asker }: AskedContext) => {
      if (asker !== 'ptr_admin') throw refusal('FORBIDDEN');
      return `secret ${id}`;
    },
  },
};

const modules = {
  items: {
    sdl: `
      type Query { items(ids: [ID!]!): [Item!]! item(id: ID!): Item me: String }
      type Mutation { add: Item }
      type Item @key(fields: "id") { id: ID! }`,
    resolvers,
  },
  facts: {
    sdl: `
      type Item @key(fields: "id") { id: ID! price(in: String! = "EUR"): String! stock: Int! mine: String! secret: String }`,
    resolvers: { Item: { ...resolvers['Item'], __resolveReference: slowly } } as Resolvers,
  },
};

const PRICE = 'query ($id: ID!, $in: String! = "EUR") { item(id: $id) { id price(in: $in) stock } }';

describe.each(ways)('Requests at the same time, subgraphs %s', (way) => {
  let graph: Federation;
  let monolith: Monolith;
  beforeAll(async () => {
    const composed = compose(modules);
    graph = await federate(composed, way);
    monolith = new Monolith(composed.api, resolvers);
  });
  afterAll(() => graph.close());
  beforeEach(() => {
    added = 0;
  });

  /** All at once, each as the monolith answers it alone. */
  const agreeAll = async (asked: readonly (readonly [string, Record<string, unknown>])[]) => {
    const answers = await Promise.all(asked.map(([query, variables]) => graph.run(query, variables)));
    for (const [index, [query, variables]] of asked.entries()) {
      const law = await monolith.run(query, variables);
      const answer = answers[index] ?? {};
      expect([query, variables, ...disagreements(answer, law)]).toEqual([query, variables]);
    }
  };

  it('have each its own entities', () =>
    agreeAll(Array.from({ length: 60 }, (_, index) => [PRICE, { id: `i${index}` }] as const)));

  it('have each its own arguments, for the same entity too', () =>
    agreeAll(
      Array.from(
        { length: 60 },
        (_, index) => [PRICE, { id: `i${index % 3}`, in: ['EUR', 'USD', 'CNY', 'JPY'][index % 4] }] as const,
      ),
    ));

  it('have each its own literals', () =>
    agreeAll(
      Array.from(
        { length: 40 },
        (_, index) => [`{ item(id: "i${index % 5}") { a: price(in: "C${index % 7}") stock } }`, {}] as const,
      ),
    ));

  it('have each its own names and selections of the same entities', () =>
    agreeAll(
      Array.from(
        { length: 40 },
        (_, index) =>
          [
            `{ x${index % 4}: item(id: "i1") { ${['p: price', 'price stock', 's: stock', 'id stock price'][index % 4]} } }`,
            {},
          ] as const,
      ),
    ));

  it('have each its own lists, that overlap', () =>
    agreeAll(
      Array.from(
        { length: 30 },
        (_, index) =>
          [
            'query ($ids: [ID!]!) { items(ids: $ids) { id price } }',
            { ids: Array.from({ length: 1 + (index % 6) }, (_each, at) => `i${(index * 3 + at * 5) % 17}`) },
          ] as const,
      ),
    ));

  it('have each its own errors, at its own places', () =>
    agreeAll(
      Array.from(
        { length: 40 },
        (_, index) =>
          [
            'query ($ids: [ID!]!) { rows: items(ids: $ids) { id s: stock } }',
            { ids: [`i${index}`, `i${(index + 1) % 40}`, 'i0'] },
          ] as const,
      ),
    ));

  it('of different askers have each its own rights', async () => {
    const query = '{ me items(ids: ["i1", "i2"]) { mine secret price } }';
    const askers = Array.from({ length: 40 }, (_, index) => (index % 5 === 0 ? 'ptr_admin' : `ptr_${index % 7}`));
    const answers = await Promise.all(askers.map((asker) => graph.run(query, {}, undefined, asker)));
    for (const [index, { data, errors }] of answers.entries()) {
      const asker = askers[index];
      const isAdmin = asker === 'ptr_admin';
      expect(data).toEqual({
        me: asker,
        items: ['i1', 'i2'].map((id) => ({
          mine: `${id} of ${asker}`,
          secret: isAdmin ? `secret ${id}` : null,
          price: `2${id} EUR`,
        })),
      });
      const places = isAdmin ? [] : [0, 1].map((row) => `["items",${row},"secret"] FORBIDDEN: refused: FORBIDDEN`);
      expect((errors ?? []).map(brief).toSorted()).toEqual(places);
    }
  });

  it('run each its own mutation, though they are the same', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => graph.run('mutation { add { id price } }')));
    for (const answer of answers) expect(answer).toEqual({ data: { add: { id: 'i1', price: '2i1 EUR' } } });
    expect(added).toBe(12);
  });

  it('are each asked anew afterwards: nothing of a request stays', async () => {
    await graph.run(PRICE, { id: 'i4' });
    graph.fetches.length = 0;
    await graph.run(PRICE, { id: 'i4' });
    expect(graph.fetches.map(({ subgraph }) => subgraph)).toEqual(['items', 'facts']);
  });
});
