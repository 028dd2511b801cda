import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type DocumentNode, getOperationAST, type OperationDefinitionNode, parse, validate } from 'graphql';
import { Costs } from '../../gateway/admission.cost.js';
import { defaultCost } from '../../gateway/admission.js';
import { loadSupergraph } from '../../gateway/supergraph.js';
import { composeSupergraph } from '../../schema/compose.js';
import { root } from '../support/sources.js';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external",
  "@requires", "@shareable", "@cost", { name: "@listSize", as: "@sized" }])\n`;

const SDL = `
  type Query {
    scalar(id: ID): String
    scalars: [Int]
    object: Thing
    objects: [Thing]
    either: Either
    face: Face
    priced: Int @cost(weight: 5)
    argument(arg: Int @cost(weight: 10)): Int
    level: Level
    dear: Dear
    expensive: Expensive
    input(args: Outer): String
    weighted(input: Weighted): Int
    assumed: [Thing] @sized(assumedSize: 7, requireOneSlicingArgument: false)
    first(first: Int = 10): Page @sized(slicingArguments: ["first"], sizedFields: ["items"])
    page(first: Int, last: Int): Page @sized(assumedSize: 20, slicingArguments: ["first", "last"],
      sizedFields: ["items", "edges"], requireOneSlicingArgument: false)
    list(first: Int, last: Int): [Thing] @sized(slicingArguments: ["first", "last"])
    p: P
  }
  type Mutation { act: Int actOn(args: Outer): Thing }
  type Subscription { event: Thing }
  type Thing { a: Int things: [Thing!]! page(first: Int, last: Int): Page @sized(assumedSize: 20,
    slicingArguments: ["first", "last"], sizedFields: ["items", "edges"], requireOneSlicingArgument: false) }
  type Page { items: [Thing!]! edges: [Edge!]! others: [Thing!]! total: Int }
  type Edge { cursor: String node: Thing! }
  interface Face { x: Int }
  type Plain implements Face { x: Int }
  type Dear implements Face @cost(weight: 30) { x: Int @cost(weight: 4) y: Int }
  union Either = Thing | Plain
  enum Level @cost(weight: 15) { A B }
  scalar Expensive @cost(weight: 40)
  input Outer { inner: Inner inner2: Inner listOfInner: [Inner!] }
  input Inner { id: ID }
  input Weighted { some: Int @cost(weight: 20) }
  type P @key(fields: "id") { id: ID! weights: [Thing!]! size: Int }
`;
const OTHER =
  'type P @key(fields: "id") { id: ID! weights: [Thing!]! @external price: Int @requires(fields: "weights { a }") } type Thing { a: Int }';

// `Thing` is a value of both: shareable, so that one may require it of the other.
const shared = (sdl: string) => LINK + sdl.replaceAll(/type (Thing) \{ a: Int/g, 'type $1 @shareable { a: Int');
const { supergraph, full, api } = loadSupergraph(
  composeSupergraph([
    { name: 'one', url: 'http://one', typeDefs: parse(shared(SDL)) },
    { name: 'two', url: 'http://two', typeDefs: parse(shared(OTHER)) },
  ]),
);
const costs = new Costs(supergraph, full, 100);

const cost = (query: string, variables: Record<string, unknown> = {}, of = costs) => {
  const document: DocumentNode = parse(query);
  expect(validate(api, document).map(({ message }) => message)).toEqual([]);
  return of.of(document, getOperationAST(document) as OperationDefinitionNode, variables);
};

describe("The cost of an operation, as Apollo Router's static cost", () => {
  it.each([
    [0, '{ scalar(id: 1) }'],
    [0, '{ scalars __typename __schema { types { name } } }'],
    [1, '{ object { a } }'],
    [1, '{ either { ... on Plain { x } } }'],
    [100, '{ objects { a } }'],
    [10_100, '{ objects { things { a } } }'],
    [10, 'mutation { act }'],
    [11, 'mutation { actOn { a } }'],
    [1, 'subscription { event { a } }'],
    [3, '{ input(args: { inner: { id: 1 }, inner2: { id: 2 } }) }'],
    [4, '{ input(args: { inner: { id: 1 }, listOfInner: [{ id: 2 }, { id: 3 }] }) }'],
    [1, '{ input(args: { inner: null }) }'],
    [
      102,
      '{ ...F } fragment F on Query { object { ...G } objects { a } either { ... on Thing { a } } } fragment G on Thing { a }',
    ],
  ])('is %d by default: %s', (expected, query) => {
    expect(cost(query)).toBe(expected);
  });

  it.each([
    [5, '{ priced }'],
    [10, '{ argument(arg: 3) }'],
    [0, '{ argument }'],
    [15, '{ level }'],
    [30, '{ dear { y } }'],
    [34, '{ dear { x } }'],
    [40, '{ expensive }'],
    [21, '{ weighted(input: { some: 10 }) }'],
    [70, '{ expensive dear { y } }'],
  ])('follows @cost: %d for %s', (expected, query) => {
    expect(cost(query)).toBe(expected);
  });

  it('is that of the dearest type that may be behind an interface', () => {
    expect(cost('{ face { x } }')).toBe(34);
  });

  it.each([
    [7, '{ assumed { a } }'],
    [6, '{ first(first: 5) { items { a } } }'],
    [11, '{ first { items { a } } }'],
    [21, '{ page { items { a } } }'],
    [10, '{ page(first: 3) { edges { node { a } } items { a } total } }'],
    [10, '{ page(first: 3, last: 9) { items { a } } }'],
    [104, '{ page(first: 3) { items { a } others { a } } }'],
    [4, '{ list(first: 4) { a } }'],
    [13, '{ page(first: 3) { items { page(last: 2) { items { a } } } } }'],
    [6, '{ page(first: 5) { ...F } } fragment F on Page { ... { items { a } } }'],
  ])('takes the length of lists from @listSize: %d for %s', (expected, query) => {
    expect(cost(query)).toBe(expected);
  });

  it('puts variables in, with the defaults of the operation', () => {
    const query =
      'query ($n: Int = 4, $m: Int, $o: Outer) { page(first: $n) { items { page(last: $m) { items { a } } } } input(args: $o) }';
    expect(cost(query)).toBe(1 + 4 * (1 + 1 + 20));
    expect(cost(query, { n: 2, m: 3 })).toBe(1 + 2 * (1 + 1 + 3));
    expect(cost(query, { n: 0, o: { inner: { id: 1 }, listOfInner: [{}, {}] } })).toBe(1 + 4);
    expect(cost(query, { n: null, o: null })).toBe(1 + 20 * (1 + 1 + 20));
  });

  it('leaves out what @skip and @include leave out', () => {
    const query =
      'query ($yes: Boolean = true) { objects @skip(if: $yes) { a } object @include(if: $yes) { a } ... @skip(if: true) { priced } }';
    expect(cost(query)).toBe(1);
    expect(cost(query, { yes: false })).toBe(100);
  });

  it('cannot be made smaller by a size below nothing', () => {
    expect(cost('query ($n: Int) { page(first: $n) { items { a } } objects { a } }', { n: -1_000_000 })).toBe(101);
  });

  it('adds what a field requires of other subgraphs', () => {
    expect(cost('{ p { size } }')).toBe(1);
    expect(cost('{ p { price } }')).toBe(101);
  });

  it('is refused with BAD_USER_INPUT where exactly one argument must say the length', () => {
    for (const query of [
      '{ list { a } }',
      '{ list(first: 1, last: 1) { a } }',
      'query ($n: Int) { list(first: $n) { a } }',
    ])
      expect(() => cost(query)).toThrow(
        expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'list' } }),
      );
    expect(() => cost('query ($n: Int) { list(first: $n) { a } }', { n: 3 })).not.toThrow();
  });

  it('takes another default length where one is configured', () => {
    expect(cost('{ objects { things { a } } }', {}, new Costs(supergraph, full, 5))).toBe(30);
  });

  it('is nothing for what does not exist, and ends for fragments within themselves', () => {
    const document = parse(
      '{ nothing { a } ...F ...Nowhere object { ...F } } fragment F on Query { ...F object { a } }',
    );
    expect(costs.of(document, getOperationAST(document) as OperationDefinitionNode, {})).toBeGreaterThanOrEqual(1);
  });

  it('does not show in the schema that clients see', () => {
    expect(api.getDirectives().map(({ name }) => name)).toEqual([
      'include',
      'skip',
      'deprecated',
      'specifiedBy',
      'oneOf',
    ]);
  });
});

describe('Newer sizes', () => {
  // Written into the supergraph as newer composers write them, with weights as texts.
  const newer = loadSupergraph(
    composeSupergraph([
      {
        name: 'one',
        url: 'http://one',
        typeDefs: parse(`${LINK}
          type Query {
            byIds(ids: [ID!]): [T] @sized(assumedSize: 9, requireOneSlicingArgument: false)
            search(input: In): [T] @sized(assumedSize: 9, requireOneSlicingArgument: false)
            deep(first: Int): D @sized(assumedSize: 9, sizedFields: ["items"], requireOneSlicingArgument: false)
            priced: Int @cost(weight: 5)
          }
          input In { page: Pg } input Pg { first: Int }
          type D { items: [T] page: Items } type Items { items: [T] } type T { a: Int }
        `),
      },
    ])
      .replace(/(byIds.*?assumedSize: 9)/s, '$1, slicingArguments: ["ids"]')
      .replace(/(search.*?assumedSize: 9)/s, '$1, slicingArguments: ["input.page.first"]')
      .replace(/(deep.*?assumedSize: 9.*?)\["items"\]/s, '$1["page { items }"]')
      .replace('@cost(weight: 5)', '@cost(weight: "5")')
      .replace('@cost(weight: Int!)', '@cost(weight: String!)'),
  );
  const costs = new Costs(newer.supergraph, newer.full, 100);
  const cost = (query: string, variables = {}) => {
    const document = parse(query);
    return costs.of(document, getOperationAST(document) as OperationDefinitionNode, variables);
  };

  it.each<[number, string, object]>([
    [3, '{ byIds(ids: [1, 2, 3]) { a } }', {}],
    [2, 'query ($ids: [ID!]) { byIds(ids: $ids) { a } }', { ids: ['a', 'b'] }],
    [9, '{ byIds { a } }', {}],
    [4 + 2, '{ search(input: { page: { first: 4 } }) { a } }', {}],
    [4 + 2, 'query ($in: In) { search(input: $in) { a } }', { in: { page: { first: 4 } } }],
    [4 + 2, 'query ($n: Int) { search(input: { page: { first: $n } }) { a } }', { n: 4 }],
    [1 + 1 + 9, '{ deep { page { items { a } } } }', {}],
    [1 + 100, '{ deep { items { a } } }', {}],
    [5, '{ priced }', {}],
  ])(
    'are lists of ids, arguments within arguments and fields below fields: %d for %s',
    (expected, query, variables) => {
      expect(cost(query, variables)).toBe(expected);
    },
  );
});

describe('Our own graph', () => {
  const folder = join(root, 'schema');
  const own = loadSupergraph(readFileSync(join(folder, 'supergraph.graphql'), 'utf8'));
  const costs = new Costs(own.supergraph, own.full, defaultCost.listSize);
  const cost = (text: string, variables = {}) => {
    const document = parse(text);
    expect(validate(own.api, document)).toEqual([]);
    return costs.of(document, getOperationAST(document) as OperationDefinitionNode, variables);
  };

  it('says how long its pages are: a page of a hundred costs a hundred times what an entry does', () => {
    const history = (fields: string) =>
      `query ($first: Int) { viewer { traveler { payments(first: $first) { ${fields} } } } }`;
    // Viewer, traveler, connection; then two for each entry.
    expect(cost(history('nodes { id amount { amount } }'), { first: 100 })).toBe(3 + 200);
    expect(cost(history('nodes { id amount { amount } }'))).toBe(3 + 40);
    expect(cost(history('edges { node { id } }'), { first: 100 })).toBe(3 + 200);
  });

  it.each(readdirSync(join(folder, 'operations')))('leaves room for %s, with the largest pages', (file) => {
    const text = readFileSync(join(folder, 'operations', file), 'utf8');
    expect(cost(text, { first: 100 })).toBeLessThan(defaultCost.most / 10);
  });

  it('has no room for pages of a hundred within pages of a hundred, and what hangs on each of them', () => {
    const text = `{ viewer { traveler { payments(first: 100) { nodes { refunds(first: 100) { nodes {
      id amount { amount } total { amount } payment { id amount { amount } merchant { name } } } } } } } } }`;
    expect(cost(text)).toBeGreaterThan(defaultCost.most);
  });
});
