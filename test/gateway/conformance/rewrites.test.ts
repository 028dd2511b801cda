import { describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

const typename = ({ __typename }: { __typename: string }) => __typename;
const idOf = ({ id }: { id: string }) => id;

const gallery = conforming({
  resolvers: {
    Query: {
      works: () => [
        { __typename: 'Painting', id: 'w1' },
        { __typename: 'Statue', id: 'w2' },
        { __typename: 'Film', id: 'w3' },
        { __typename: 'Painting', id: 'w4' },
      ],
      rooms: () => [
        { id: 'r1', works: [{ __typename: 'Statue', id: 'w2' }] },
        { id: 'r2', works: [] },
      ],
    },
    Work: { __resolveType: typename },
    Painting: {
      size: () => 'A0',
      value: ({ id }: { id: string }) => `${id} Gulden`,
      made: (_: unknown, { in: place }: { in: string }) => `painted in ${place}`,
      parts: ({ id }: { id: string }) => [{ name: `frame ${id}` }],
      rank: () => 1,
    },
    Statue: {
      size: () => 'tall',
      value: ({ id }: { id: string }) => id.length,
      made: (_: unknown, { in: place }: { in: string }) => `cut in ${place}`,
      parts: ({ id }: { id: string }) => ({ name: `base ${id}`, weight: 100 }),
      rank: () => null,
    },
    Film: {
      size: () => 'wide',
      value: () => 2.5,
      made: (_: unknown, { in: place }: { in: string }) => `shot in ${place}`,
      rank: () => 3,
    },
  },
  references: {
    Painting: (reference: object) => reference,
    Statue: (reference: object) => reference,
    Film: (reference: object) => reference,
  },
  subgraphs: {
    works: `
      type Query { works: [Work!]! rooms: [Room!]! }
      type Room { id: ID! works: [Work!]! }
      interface Work { id: ID! }
      type Painting implements Work @key(fields: "id") { id: ID! }
      type Statue implements Work @key(fields: "id") { id: ID! }
      type Film implements Work @key(fields: "id") { id: ID! }`,
    details: `
      interface Work { id: ID! size: String! made(in: String! = "Rome"): String! }
      type Painting implements Work @key(fields: "id") {
        id: ID! size: String! value: String! parts: [Part!]! made(in: String! = "Rome"): String! rank: Int!
      }
      type Statue implements Work @key(fields: "id") {
        id: ID! size: String! value: Int! parts: Base! made(in: String! = "Rome"): String! rank: Int
      }
      type Film implements Work @key(fields: "id") {
        id: ID! size: String! value: Float! made(in: String! = "Rome"): String! rank: Int!
      }
      type Part { name: String! }
      type Base { name: String! weight: Int! }`,
  },
});

// A subgraph must not be sent `... on Painting { rank } ... on Statue { rank }`: the planner gives one of them another
// name, and the engine gives the answer its own name back (KeyRenamer).
describe('Fields of one name and different types on different types', () => {
  it.each([
    ['nullable here and not there', '... on Painting { rank } ... on Statue { other: rank }'],
    ['under names of their own', '... on Painting { p: value } ... on Statue { s: value } ... on Film { f: value }'],
    [
      'under swapped names',
      '... on Painting { size: value v: size } ... on Statue { s: value v: size } ... on Film { v: made }',
    ],
    [
      'with other arguments',
      '... on Painting { made(in: "Delft") } ... on Statue { made(in: "Paris") } ... on Film { made }',
    ],
    [
      'with other arguments, one alias',
      '... on Painting { m: made(in: "Delft") } ... on Statue { m: made } ... on Film { m: size }',
    ],
    ['objects of other types', '... on Painting { ps: parts { name } } ... on Statue { parts { name weight } }'],
  ])('keep their names and values: %s', async (_what, fields) => {
    await gallery.agree(`{ works { id ${fields} } }`);
    await gallery.agree(`{ works { ${fields} __typename } rooms { works { ${fields} } } }`);
  });
});

const stores = conforming({
  resolvers: {
    Query: {
      goods: () => [
        { __typename: 'Shoe', id: 'g1' },
        { __typename: 'Hat', id: 'g2' },
        { __typename: 'Shoe', id: 'g3' },
      ],
      good: (_: unknown, { id }: { id: string }) => ({ __typename: id === 'g2' ? 'Hat' : 'Shoe', id }),
    },
    Good: { __resolveType: typename },
    Shoe: {
      label: (_: unknown, { long }: { long: boolean }) => (long ? 'a long label of a shoe' : 'shoe'),
      maker: () => ({ id: 'm1', name: 'Mo' }),
      rank: () => 1,
      broken: () => 7,
      stock: idOf,
      unit: () => ({ name: 'pair' }),
    },
    Hat: {
      label: (_: unknown, { long }: { long: boolean }) => (long ? 'a long label of a hat' : 'hat'),
      maker: () => ({ id: 'm2', name: 'Mimi' }),
      rank: () => null,
      broken: () => {
        throw refusal('BROKEN');
      },
      stock: idOf,
      unit: () => ({ name: 'piece' }),
    },
    Maker: { name: ({ id }: { id: string }) => (id === 'm1' ? 'Mo' : 'Mimi') },
  },
  references: {
    Shoe: (reference: object) => reference,
    Hat: (reference: object) => reference,
    Maker: (reference: object) => reference,
  },
  subgraphs: {
    goods: `
      type Query { goods: [Good!]! good(id: ID!): Good }
      interface Good { id: ID! }
      type Shoe implements Good @key(fields: "id") { id: ID! }
      type Hat implements Good @key(fields: "id") { id: ID! }`,
    labels: `
      interface Good { label(long: Boolean! = false): String! maker: Maker! rank: Int broken: Int }
      type Shoe implements Good @key(fields: "id") { id: ID! label(long: Boolean! = false): String! maker: Maker! rank: Int! broken: Int! }
      type Hat implements Good @key(fields: "id") { id: ID! label(long: Boolean! = false): String! maker: Maker! rank: Int broken: Int }
      type Maker @key(fields: "id") { id: ID! name: String! }`,
    units: `
      interface Good { stock: ID unit: Unit }
      type Shoe implements Good @key(fields: "id") { id: ID! stock: ID! unit: Unit! }
      type Hat implements Good @key(fields: "id") { id: ID! stock: ID unit: Unit }
      type Unit { name: String! }`,
  },
});

// The two `rank`s have types that do not merge: a subgraph that is asked for both in one fetch is sent one of them under
// another name (`rank__alias_0`), and the engine gives it its own name back (KeyRenamer).
describe('Fields of an interface whose types promise more or less than it does', () => {
  it.each([
    'goods { rank label maker { name } }',
    'goods { rank r: rank other: rank __typename }',
    'goods { label rank ... on Hat { maker { name } } }',
    'goods { rank ... on Hat { rank } label(long: true) }',
    'goods { ... on Shoe { stock unit { name } } ... on Hat { id } }',
    'goods { stock unit { name n: name } rank }',
    'goods { u: unit { name } s: stock r: rank }',
    'good(id: "g2") { rank label maker { id } } other: good(id: "g1") { rank r: rank }',
    'goods { ...shared } good(id: "g1") { ...shared rank }',
  ])('keep their names, values and order: %s', async (selection) => {
    const fragment = selection.includes('...shared')
      ? ' fragment shared on Good { rank again: rank unit { name } }'
      : '';
    await stores.agree(`{ ${selection} }${fragment}`);
  });

  it('are fetched under names that the client may use itself', async () => {
    await stores.agree('{ goods { rank__alias_0: label rank r__alias_0: rank } }');
    await stores.agree('{ goods { rank rank__alias_0: rank rank__alias_1: __typename } }');
  });

  it('have their errors at the names that the client gave them', async () => {
    const { errors } = await stores.agree('{ goods { broken b: broken rank } good(id: "g2") { broken x: broken } }');
    expect(errors?.map(({ path }) => path?.join('.')).toSorted()).toEqual(
      ['good.broken', 'good.x', 'goods.1.b', 'goods.1.broken'].toSorted(),
    );
  });
});

// The types of different objects that one entity fetch asks for at one time.
const media = conforming({
  resolvers: {
    Query: {
      media: () => [
        { id: 'm1', kind: 'Song' },
        { id: 'm2', kind: 'Clip' },
      ],
    },
    Medium: { content: ({ kind, id }: { kind: string; id: string }) => ({ __typename: kind, id }) },
    Content: { __resolveType: typename },
    Song: { length: () => 3, title: ({ id }: { id: string }) => `Song ${id}`, notes: () => ['c', 'd'] },
    Clip: { length: () => 'short', title: ({ id }: { id: string }) => `Clip ${id}`, notes: () => [1, null] },
  },
  references: { Song: (reference: object) => reference, Clip: (reference: object) => reference },
  subgraphs: {
    media: `
      type Query { media: [Medium!]! }
      type Medium { id: ID! content: Content! }
      union Content = Song | Clip
      type Song @key(fields: "id") { id: ID! }
      type Clip @key(fields: "id") { id: ID! }`,
    content: `
      type Song @key(fields: "id") { id: ID! length: Int! title: String! notes: [String!]! }
      type Clip @key(fields: "id") { id: ID! length: String! title: String notes: [Int] }`,
  },
});

describe('One entity fetch for different types', () => {
  it('asks for fields that could not be merged under one name', async () => {
    await media.agree('{ media { content { ... on Song { length } ... on Clip { l: length } } } }');
    await media.agree(
      '{ media { content { ... on Song { s: title t: notes } ... on Clip { t2: notes s2: title } } } }',
    );
    await media.agree(
      '{ media { content { ... on Song { a: length b: title } ... on Clip { c: length d: title } __typename } } }',
    );
    expect(await media.refuse('{ media { content { ... on Song { length } ... on Clip { length } } } }')).toEqual([
      'GRAPHQL_VALIDATION_FAILED',
    ]);
  });
});
