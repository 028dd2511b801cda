import { describe, expect, it } from '@jest/globals';
import { conforming } from './conforming.js';

const BOOKS = ['b1', 'b2'].map((id) => ({ id, title: `Title ${id}`, authorId: 'a1' }));

const library = conforming({
  resolvers: {
    Query: { books: () => BOOKS, visitors: () => 12, open: (_: unknown, { day }: { day: string }) => day !== 'SUN' },
    Book: {
      author: ({ authorId }: { authorId: string }) => ({ id: authorId, name: 'Ada' }),
      pages: ({ id }: { id: string }) => Number(id.slice(1)) * 100,
      reviews: ({ id }: { id: string }) => [{ id: `r-${id}`, text: `good ${id}` }],
      medium: ({ id }: { id: string }) => ({ __typename: id === 'b1' ? 'Print' : 'Audio', weight: 300, minutes: 90 }),
    },
    Medium: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
  },
  references: {
    Book: ({ id }: { id: string }) => BOOKS.find((book) => book.id === id),
    Author: ({ id }: { id: string }) => ({ id, name: 'Ada' }),
  },
  subgraphs: {
    books: `
      type Query { books: [Book!]! open(day: String! = "MON"): Boolean! }
      type Book @key(fields: "id") { id: ID! title: String! author: Author! }
      type Author @key(fields: "id", resolvable: false) { id: ID! }`,
    authors: 'type Author @key(fields: "id") { id: ID! name: String! }',
    details: `
      type Query { visitors: Int! }
      type Book @key(fields: "id") { id: ID! pages: Int! medium: Medium! }
      union Medium = Print | Audio
      type Print { weight: Int! } type Audio { minutes: Int! }`,
    reviews: `
      type Book @key(fields: "id") { id: ID! reviews: [Review!]! }
      type Review { id: ID! text: String! }`,
  },
});

const BOTH = [true, false];
const asked = async (query: string, variables: object) =>
  (await library.fetches(query, variables as Record<string, unknown>)).map(({ subgraph }) => subgraph);

describe('@skip and @include', () => {
  it.each([
    ['a field of the first subgraph', '{ books { id title @DIRECTIVE } }'],
    ['a root field', '{ books { id } visitors @DIRECTIVE }'],
    ['the root field of the only other subgraph', '{ visitors @DIRECTIVE open }'],
    ['the only root field', '{ visitors @DIRECTIVE }'],
    ['a scalar of another subgraph', '{ books { id pages @DIRECTIVE } }'],
    ['all that is asked of an entity', '{ books { pages @DIRECTIVE } }'],
    ['an object of another subgraph', '{ books { title reviews @DIRECTIVE { text } } }'],
    ['an entity in between', '{ books { title author @DIRECTIVE { name } } }'],
    ['a field behind an entity', '{ books { author { id name @DIRECTIVE } } }'],
    ['all that is asked behind an entity', '{ books { author { name @DIRECTIVE } } }'],
    ['an inline fragment', '{ books { id ... on Book @DIRECTIVE { title pages author { name } } } }'],
    ['an inline fragment without a type', '{ books { ... @DIRECTIVE { pages reviews { id } } title } }'],
    ['an inline fragment at the root', '{ ... @DIRECTIVE { visitors books { pages } } open }'],
    ['a fragment spread', '{ books { id ...more @DIRECTIVE } } fragment more on Book { pages reviews { text } }'],
    [
      'a fragment spread at the root',
      '{ open ...more @DIRECTIVE } fragment more on Query { visitors books { pages } }',
    ],
    ['a member of a union', '{ books { medium { ... on Print @DIRECTIVE { weight } ... on Audio { minutes } } } }'],
    ['a field of a member of a union', '{ books { medium { __typename ... on Print { weight @DIRECTIVE } } } }'],
    ['__typename', '{ books { id __typename @DIRECTIVE pages } }'],
    ['an aliased field', '{ books { a: pages @DIRECTIVE b: pages } }'],
    ['one of two times the same field', '{ books { pages pages @DIRECTIVE title @DIRECTIVE title } }'],
    ['one of two selections of one place', '{ books @DIRECTIVE { pages } books { title } }'],
    ['the key of an entity', '{ books { id @DIRECTIVE pages } }'],
    ['a field with arguments', '{ open(day: "SUN") @DIRECTIVE other: open(day: "TUE") }'],
  ])('leave out or keep %s', async (_what, query) => {
    for (const directive of ['skip', 'include']) {
      for (const value of BOTH) {
        await library.agree(query.replaceAll('@DIRECTIVE', `@${directive}(if: ${value})`));
        const named = query.replaceAll('@DIRECTIVE', `@${directive}(if: $if)`);
        const text = `query ($if: Boolean!) ${named}`;
        await library.agree(text, { if: value });
        const defaulted = `query ($if: Boolean! = ${!value}) ${named}`;
        await library.agree(defaulted, { if: value });
        await library.agree(defaulted, {});
      }
    }
  });

  it.each(BOTH.flatMap((skip) => BOTH.map((include) => [skip, include])))(
    'together keep a field only when both do: skip %s, include %s',
    async (skip, include) => {
      const variables = { skip, include };
      const head = 'query ($skip: Boolean!, $include: Boolean!)';
      await library.agree(`${head} { books { id pages @skip(if: $skip) @include(if: $include) } }`, variables);
      await library.agree(`${head} { books { id ... @skip(if: $skip) { pages @include(if: $include) } } }`, variables);
      await library.agree(
        `${head} { books { a: pages @skip(if: $skip) reviews @include(if: $include) { id } } }`,
        variables,
      );
      await library.agree(
        `${head} { books { ...one @skip(if: $skip) ...two @include(if: $include) } }
        fragment one on Book { pages author { name } } fragment two on Book { pages reviews { text } author { id } }`,
        variables,
      );
      await library.agree(`${head} { visitors @include(if: $include) books @skip(if: $skip) { pages } }`, variables);
    },
  );

  it('nested hold for all that is inside, over several subgraphs', async () => {
    const query = `query ($a: Boolean!, $b: Boolean!, $c: Boolean!) {
      books @include(if: $a) {
        title
        author @include(if: $b) { name @skip(if: $c) id }
        ... on Book @skip(if: $b) { pages @include(if: $c) reviews { text } }
      }
      open
    }`;
    for (const a of BOTH) for (const b of BOTH) for (const c of BOTH) await library.agree(query, { a, b, c });
  });

  it('spare the fetch of what is left out', async () => {
    const query = 'query ($if: Boolean!) { books { title pages @include(if: $if) reviews @skip(if: $if) { id } } }';
    expect((await asked(query, { if: true })).toSorted()).toEqual(['books', 'details']);
    expect((await asked(query, { if: false })).toSorted()).toEqual(['books', 'reviews']);
    expect(await asked('query ($if: Boolean!) { visitors @include(if: $if) }', { if: false })).toEqual([]);
  });

  it.each([
    ['a literal', '{ books { id @include(if: false) } }'],
    ['a variable against itself', 'query ($if: Boolean!) { books @include(if: $if) { title @skip(if: $if) } }'],
    ['two literals', '{ books { ... @skip(if: true) { id } pages @include(if: false) } visitors }'],
    [
      'an entity of another subgraph',
      'query ($if: Boolean!) { books { author @include(if: $if) { name @skip(if: $if) } } }',
    ],
  ])('give an empty object, not null, where nothing of an object is left: by %s', async (_what, query) => {
    await library.agree(query, query.includes('$if') ? { if: true } : {});
  });

  it('give an empty object where nothing is left', async () => {
    const { data } = await library.agree('query ($if: Boolean!) { visitors @skip(if: $if) }', { if: true });
    expect(data).toEqual({});
  });
});
