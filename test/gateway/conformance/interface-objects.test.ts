import { describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

interface Media {
  __typename: string;
  id: string;
  title: string;
  pages?: number;
  minutes?: number;
}
const MEDIA: Media[] = [
  { __typename: 'Book', id: 'm1', title: 'Ulysses', pages: 700 },
  { __typename: 'Movie', id: 'm2', title: 'Alien', minutes: 117 },
  { __typename: 'Book', id: 'm3', title: 'Emma', pages: 300 },
];
const media = ({ id }: { id: string }) => MEDIA.find((one) => one.id === id);
const reviews = ({ id }: { id: string }) =>
  ['good', 'bad']
    .slice(0, Number(id.slice(1)))
    .map((text) => ({ score: text.length, text: `${text} ${id}`, media: media({ id }) }));
const stars = ({ id }: { id: string }) => {
  if (id === 'm3') throw refusal('NO_STARS');
  return Number(id.slice(1));
};

const store = conforming({
  resolvers: {
    Query: {
      all: () => MEDIA,
      one: (_: unknown, ref: { id: string }) => media(ref),
      topRated: () => [MEDIA[1], MEDIA[0]],
      best: () => MEDIA[0],
      prints: () => MEDIA.filter(({ pages }) => pages),
      print: () => MEDIA[0],
      shelf: () => [[MEDIA[2]], [MEDIA[1], null]],
    },
    Media: {
      __resolveType: ({ __typename }: { __typename: string }) => __typename,
      reviews,
      stars,
      price: (_: unknown, { in: currency }: { in: string }) => `5 ${currency}`,
      discount: ({ title }: Media) => title.length,
    },
    Book: { printed: () => true },
  },
  references: { Media: media, Book: media, Movie: media },
  subgraphs: {
    media: `
      type Query { all: [Media!]! one(id: ID!): Media shelf: [[Media]] }
      interface Media @key(fields: "id") { id: ID! title: String! }
      type Book implements Media @key(fields: "id") { id: ID! title: String! pages: Int! }
      type Movie implements Media @key(fields: "id") { id: ID! title: String! minutes: Int! }`,
    reviews: {
      sdl: `
        type Query { topRated: [Media!]! best: Media }
        type Media @key(fields: "id") @interfaceObject { id: ID! reviews: [Review!]! stars: Int }
        type Review { score: Int! text: String! media: Media! }`,
      resolvers: {
        Query: { topRated: () => [{ id: 'm2' }, { id: 'm1' }], best: () => ({ id: 'm1' }) },
        Media: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
        Review: { media: ({ media: { id } }: { media: { id: string } }) => ({ id }) },
      },
    },
    prices: {
      sdl: `
        type Media @key(fields: "id") @interfaceObject {
          id: ID! title: String! @external
          price(in: String! = "EUR"): String!
          discount: Int @requires(fields: "title")
        }`,
      resolvers: { Media: { __resolveReference: (reference: object) => reference } },
    },
    prints: `
      type Query { prints: [Book!]! print: Book }
      type Book @key(fields: "id") { id: ID! printed: Boolean! }`,
  },
});

describe('An interface object', () => {
  it('adds fields to all types of the interface', async () => {
    await store.agree('{ all { title reviews { text score } } }');
    await store.agree('{ all { ... on Book { pages reviews { text } } ... on Movie { price(in: "USD") minutes } } }');
    await store.agree('{ one(id: "m2") { reviews { text } price } none: one(id: "none") { reviews { text } } }');
    await store.agree('{ shelf { title price reviews { score } } }');
  });

  it('is asked which type it is where its own subgraph cannot know', async () => {
    await store.agree('{ topRated { __typename title } }');
    await store.agree('{ topRated { id ... on Book { pages } ... on Movie { minutes } } best { __typename } }');
    await store.agree('{ topRated { kind: __typename reviews { media { __typename title } } } }');
    await store.agree('{ best { reviews { media { reviews { media { price title } } } } } }');
    await store.agree('{ topRated { ... on Book { printed title } price } }');
  });

  it.each([
    '{ prints { __typename reviews { text } } print { price __typename } }',
    '{ print { price kind: __typename pages printed } }',
    '{ one(id: "m2") { price __typename ... on Movie { t: __typename reviews { text } minutes } } }',
    '{ shelf { ... on Book { price __typename printed } ... on Movie { __typename price minutes } } }',
    'query ($if: Boolean!) { prints { price __typename @include(if: $if) title } }',
  ])('never tells its own name as the type of an object: %s', async (query) => {
    await store.agree(query, query.includes('$if') ? { if: true } : {});
  });

  it('needs nobody else for its own fields', async () => {
    await store.agree('{ topRated { id reviews { text } } best { stars } }');
    const fetches = await store.fetches('{ topRated { id reviews { text } } }');
    expect(fetches.map(({ subgraph }) => subgraph)).toEqual(['reviews']);
  });

  it('requires fields of the interface', () => store.agree('{ all { discount } topRated { discount price } }'));

  it('has its errors at their places', async () => {
    const { errors } = await store.agree('{ all { stars title } shelf { ... on Book { stars } } }');
    expect(errors?.map(({ path }) => path)).toEqual([
      ['all', 2, 'stars'],
      ['shelf', 0, 0, 'stars'],
    ]);
  });
});
