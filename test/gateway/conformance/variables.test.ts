import { describe, expect, it } from '@jest/globals';
import { GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';
import { conforming, refusal } from './conforming.js';

const Json = new GraphQLScalarType({
  name: 'Json',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

// Even numbers only, so that a client's mistake is one before anybody is asked.
const Even = new GraphQLScalarType({
  name: 'Even',
  serialize: Number,
  parseValue: (value) => {
    if (typeof value !== 'number' || value % 2 !== 0) throw refusal('ODD');
    return value;
  },
  parseLiteral: (node) => {
    if (node.kind !== Kind.INT || Number(node.value) % 2 !== 0) throw refusal('ODD');
    return Number(node.value);
  },
});

const SHARED = { a: [1, { b: null }], c: 'text' };
const echo = (_: unknown, given: object) => JSON.stringify(given, Object.keys(given).toSorted().concat(NESTED));
// The fields of the inputs below, in one order: an engine may send an object's fields in any.
const NESTED = ['text', 'number', 'tags', 'color', 'inner', 'list', 'id', 'flag', 'size', 'all', 'x', 'y', 'z'];
const ECHO = `echo(
  text: String, number: Int, decimal: Float, flag: Boolean, id: ID, color: Color, tags: [String!], matrix: [[Int]],
  input: Thing, inputs: [Thing!], size: Int! = 7, word: String = "none", colors: [Color!] = [RED], thing: Thing = { text: "d" }
): String!`;

const echoes = conforming({
  resolvers: {
    Json,
    Even,
    Query: {
      echo,
      things: () => [{ id: 't1' }, { id: 't2' }],
      thing: (_: unknown, { id }: { id: string }) => ({ id }),
      json: (_: unknown, { value }: { value: unknown }) => value ?? null,
      shared: () => SHARED,
      even: (_: unknown, { value }: { value: number }) => value,
      evens: (_: unknown, { values }: { values: number[] }) => values,
    },
    Entity: {
      echo,
      json: (_: unknown, { value }: { value: unknown }) => value ?? null,
      even: (_: unknown, { value }: { value: number }) => value,
    },
  },
  references: { Entity: (reference: object) => reference },
  subgraphs: {
    left: `
      scalar Json scalar Even
      type Query {
        ${ECHO} things: [Entity!]! thing(id: ID!): Entity
        json(value: Json): Json shared: Json even(value: Even!): Even evens(values: [Even!]!): [Even!]!
      }
      type Entity @key(fields: "id") { id: ID! }
      enum Color { RED GREEN }
      input Thing { text: String number: Int tags: [String] color: Color inner: Thing list: [Thing!] id: ID! = "x" flag: Boolean = true size: Int }`,
    right: `
      scalar Json scalar Even
      type Entity @key(fields: "id") { id: ID! ${ECHO} json(value: Json): Json even(value: Even): Even }
      enum Color { RED GREEN }
      input Thing { text: String number: Int tags: [String] color: Color inner: Thing list: [Thing!] id: ID! = "x" flag: Boolean = true size: Int }`,
  },
});

/** Name, type, and values as a literal and as a variable. */
const VALUES: readonly [string, string, string, unknown][] = [
  ['text', 'String', '"plain"', 'plain'],
  ['text', 'String', '""', ''],
  ['text', 'String', '"quotes \\" and \\\\ and \\n and \\u00e9 and 你好"', 'quotes " and \\ and \n and é and 你好'],
  ['text', 'String', '"""block "quoted" string"""', 'block "quoted" string'],
  ['text', 'String', 'null', null],
  ['number', 'Int', '0', 0],
  ['number', 'Int', '-2147483648', -2_147_483_648],
  ['decimal', 'Float', '1.5e-3', 0.0015],
  ['decimal', 'Float', '3', 3],
  ['flag', 'Boolean', 'false', false],
  ['id', 'ID', '"abc"', 'abc'],
  ['id', 'ID', '12', 12],
  ['color', 'Color', 'GREEN', 'GREEN'],
  ['color', 'Color', 'null', null],
  ['tags', '[String!]', '["a", "b"]', ['a', 'b']],
  ['tags', '[String!]', '[]', []],
  ['tags', '[String!]', '"single"', 'single'],
  ['matrix', '[[Int]]', '[[1, null], null, []]', [[1, null], null, []]],
  ['matrix', '[[Int]]', '5', 5],
  ['colors', '[Color!]!', '[GREEN, RED, GREEN]', ['GREEN', 'RED', 'GREEN']],
  ['input', 'Thing', '{ text: "x", number: 3 }', { text: 'x', number: 3 }],
  ['input', 'Thing', '{}', {}],
  ['input', 'Thing', '{ text: null, id: "own", flag: null }', { text: null, id: 'own', flag: null }],
  [
    'input',
    'Thing',
    '{ inner: { inner: { tags: ["a", null], color: RED } }, list: [{ number: 1 }, { color: GREEN }] }',
    { inner: { inner: { tags: ['a', null], color: 'RED' } }, list: [{ number: 1 }, { color: 'GREEN' }] },
  ],
  ['inputs', '[Thing!]', '[{ text: "a" }, { list: [] }]', [{ text: 'a' }, { list: [] }]],
  ['inputs', '[Thing!]', '{ text: "alone" }', { text: 'alone' }],
  ['size', 'Int!', '9', 9],
  ['word', 'String', 'null', null],
  ['thing', 'Thing', 'null', null],
  ['thing', 'Thing', '{ size: 1 }', { size: 1 }],
];

describe('A value', () => {
  it.each(VALUES)('of %s (%s) is the same as a literal and as a variable: %s', async (name, type, literal, value) => {
    const literally = await echoes.agree(`{ echo(${name}: ${literal}) things { echo(${name}: ${literal}) } }`);
    const head = `query ($value: ${type})`;
    const selection = `{ echo(${name}: $value) things { echo(${name}: $value) } }`;
    expect(await echoes.agree(`${head} ${selection}`, { value })).toEqual(literally);
    if (!type.endsWith('!') && value !== null)
      expect(await echoes.agree(`query ($value: ${type} = ${literal}) ${selection}`)).toEqual(literally);
  });

  it('inside a list or an input object is the same as a literal and as a variable', async () => {
    const head = 'query ($t: String!, $n: Int, $c: Color = GREEN, $i: Thing, $f: Boolean)';
    const fields = `echo(
      tags: [$t, "b", $t] matrix: [[$n, 1], [$n]] input: { text: $t, number: $n, color: $c, inner: $i, list: [{ text: $t, flag: $f }] }
      inputs: [{ number: $n }, { inner: { inner: $i } }] colors: [$c, RED]
    )`;
    const query = `${head} { ${fields} things { ${fields} } }`;
    await echoes.agree(query, { t: 'x', n: 1, i: { text: 'in' }, f: false });
    await echoes.agree(query, { t: '', n: null, c: 'RED', i: null, f: null });
    await echoes.agree(query, { t: 'x' });
  });
});

describe('A variable', () => {
  it('that is absent leaves the default of the argument, and null does not', async () => {
    const query =
      'query ($w: String, $t: Thing, $c: [Color!]) { echo(word: $w, thing: $t) things { echo(word: $w, thing: $t) } other: echo(colors: $c) }';
    const absent = await echoes.agree(query);
    const nulls = await echoes.agree(query, { w: null, t: null });
    expect(absent).not.toEqual(nulls);
    await echoes.agree(query, { w: 'w', t: { text: 'own' }, c: ['GREEN'] });
  });

  it('has its own default, for which an explicit null is no reason', async () => {
    const query =
      'query ($w: String = "mine", $s: Int! = 3) { echo(word: $w, size: $s) things { echo(word: $w, size: $s) } }';
    await echoes.agree(query);
    await echoes.agree(query, { w: null });
    await echoes.agree(query, { w: 'given', s: 4 });
  });

  it('is used wherever it stands: in several subgraphs, behind entities, in fragments, in directives', async () => {
    const query = `query ($id: ID!, $n: Int = 2, $yes: Boolean = true, $text: String) {
      thing(id: $id) { ...more echo(number: $n) }
      things @include(if: $yes) { a: echo(text: $text) ... @skip(if: $yes) { b: echo(number: $n) } }
    }
    fragment more on Entity { x: echo(text: $text, number: $n) y: echo(text: $text) @include(if: $yes) }`;
    await echoes.agree(query, { id: 't9', text: 'z' });
    await echoes.agree(query, { id: 't9', yes: false, n: null });
  });

  it('is sent only to the subgraphs that need it', async () => {
    const query = 'query ($a: String, $b: String) { echo(text: $a) things { echo(text: $b) } }';
    const fetches = await echoes.fetches(query, { a: 'A', b: 'B' });
    expect(fetches.map(({ variables }) => JSON.stringify(variables).includes('"A"'))).toEqual([true, false]);
    expect(fetches.map(({ variables }) => JSON.stringify(variables).includes('"B"'))).toEqual([false, true]);
  });

  it('that is sent without being declared does no harm', async () => {
    await echoes.agree('query ($a: String) { echo(text: $a) }', { a: 'x', more: { deep: [1] }, representations: [] });
  });

  it('may have a name that the engine or JavaScript uses itself', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'if', 'query', 'a', '_0', '__v0', 'v1']) {
      const query = `query ($${name}: String, $other: Int) { echo(text: $${name}, number: 5) things { echo(text: $${name}, number: $other, word: "lit") } }`;
      // Not a literal: `{ __proto__: … }` would set a prototype.
      await echoes.agree(query, JSON.parse(`{ "${name}": "of ${name}", "other": 1 }`));
      await echoes.agree(query, {});
    }
  });

  it('may have the name of the one that entities are asked with', async () => {
    const query =
      'query ($representations: String) { echo(text: $representations) things { echo(text: $representations) } }';
    await echoes.agree(query, { representations: 'mine' });
    await echoes.agree(query, {});
  });

  it('with the same value as a literal beside it is not confused with it', async () => {
    const query =
      '{ a: echo(number: 1, text: "1") b: echo(number: 2, text: "1") c: echo(text: "2") things { a: echo(number: 1) b: echo(number: 2) } }';
    await echoes.agree(query);
    await echoes.agree(query.replaceAll('number: 1', 'number: 3'));
    await echoes.agree(query.replaceAll('number: 2', 'number: null'));
  });

  it('has its value of this request, also when the text was seen before', async () => {
    const query = 'query ($id: ID!, $n: Int = 2) { thing(id: $id) { id echo(number: $n) } }';
    for (const [id, n] of [
      ['1', 1],
      ['2', undefined],
      ['1', null],
      ['3', 1],
    ] as const)
      await echoes.agree(query, { id, ...(n !== undefined && { n }) });
    for (const id of ['a', 'b', 'c', 'a']) await echoes.agree(`{ thing(id: "${id}") { id echo(text: "${id}") } }`);
  });
});

describe('A custom scalar', () => {
  it.each([
    'null',
    '1',
    '1.5',
    '"text"',
    'true',
    '[]',
    '{}',
    '[1, [2, null], { a: "b" }]',
    '{ a: { b: [{ c: null }] }, d: WORD, e: -1 }',
    '{ __typename: "Entity", id: "x" }',
  ])('of any shape goes through as it is: %s', async (literal) => {
    await echoes.agree(`{ json(value: ${literal}) things { json(value: ${literal}) } }`);
    await echoes.agree(`query ($j: Json = ${literal}) { json(value: $j) things { json(value: $j) } }`);
  });

  it.each([
    [null],
    [0],
    ['x'],
    [false],
    [[]],
    [{}],
    [[1, { a: [null, { b: 2 }] }]],
    [{ z: 1, a: 2, length: 3, constructor: 'c' }],
    [{ __typename: 'Entity', id: 'x' }],
  ])('as a variable goes through as it is: %j', async (value) => {
    await echoes.agree('query ($j: Json) { json(value: $j) things { json(value: $j) } }', { j: value });
  });

  it('with variables inside its literal', () =>
    echoes.agree(
      'query ($x: Json, $y: Json) { json(value: { a: $x, b: [$y, 2] }) things { json(value: [$x, { y: $y }]) } }',
      {
        x: 1,
        y: { deep: true },
      },
    ));

  it('whose value is an object is not changed by answering with it', async () => {
    const before = JSON.stringify(SHARED);
    await echoes.agree('{ a: shared b: shared things { id } }');
    await echoes.agree('{ shared }');
    expect(JSON.stringify(SHARED)).toBe(before);
  });

  it('has its own rules', () =>
    echoes.agree(
      'query ($v: Even!) { even(value: $v) a: even(value: 4) evens(values: [$v, 2]) things { even(value: $v) } }',
      { v: 6 },
    ));
});

describe('A coercion error', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['a missing value', 'query ($id: ID!) { thing(id: $id) { id } }', {}],
    ['null for a promised value', 'query ($id: ID!) { thing(id: $id) { id } }', { id: null }],
    ['a text for a number', 'query ($n: Int) { echo(number: $n) }', { n: '1' }],
    ['a fraction for a whole number', 'query ($n: Int) { echo(number: $n) }', { n: 1.5 }],
    ['too large a number', 'query ($n: Int) { echo(number: $n) }', { n: 2 ** 40 }],
    ['a number for a text', 'query ($t: String) { echo(text: $t) }', { t: 1 }],
    ['an object for an id', 'query ($i: ID!) { thing(id: $i) { id } }', { i: { a: 1 } }],
    ['an unknown value of an enum', 'query ($c: Color) { echo(color: $c) }', { c: 'BLUE' }],
    ['a null in a list', 'query ($t: [String!]) { echo(tags: $t) }', { t: ['a', null] }],
    ['a text for an input object', 'query ($i: Thing) { echo(input: $i) }', { i: 'x' }],
    ['an unknown field of an input object', 'query ($i: Thing) { echo(input: $i) }', { i: { nonsense: 1 } }],
    [
      'a wrong field deep in an input object',
      'query ($i: Thing) { echo(input: $i) }',
      { i: { list: [{ inner: { number: 'x' } }] } },
    ],
    [
      'null for a field of an input object with a default',
      'query ($i: Thing) { echo(input: $i) }',
      { i: { id: null } },
    ],
    [
      'a wrong value that only the second subgraph needs',
      'query ($n: Int) { things { echo(number: $n) } }',
      { n: 'x' },
    ],
    [
      'a wrong value of a variable that is skipped',
      'query ($n: Int) { things { id echo(number: $n) @skip(if: true) } }',
      { n: 'x' },
    ],
    ['a wrong condition', 'query ($if: Boolean!) { things { id @include(if: $if) } }', { if: 'yes' }],
    ['no condition', 'query ($if: Boolean!) { things { id @include(if: $if) } }', {}],
    ['two mistakes at once', 'query ($n: Int, $t: String!) { echo(number: $n, text: $t) }', { n: 'x' }],
  ])('is refused before any subgraph hears of it: %s', async (_what, query, variables) => {
    expect(new Set(await echoes.refuse(query, variables))).toEqual(new Set(['BAD_USER_INPUT']));
  });

  it.each([
    '{ thing { id } }',
    '{ thing(id: null) { id } }',
    '{ echo(number: "1") }',
    '{ echo(color: "RED") }',
    '{ echo(color: BLUE) }',
    '{ echo(tags: [null]) }',
    '{ echo(input: { nonsense: 1 }) }',
    '{ echo(nonsense: 1) }',
    'query ($a: String) { echo(number: $a) }',
    '{ echo(text: $undeclared) }',
    'query ($unused: Int) { echo }',
    '{ things }',
    '{ echo { x } }',
    '{ ...missing }',
    '{ things { ...a } } fragment a on Entity { ...b } fragment b on Entity { ...a }',
    '{ x: echo(number: 1) x: echo(number: 2) }',
    'query ($if: String) { things { id @skip(if: $if) } }',
  ])('of a literal is one of validation: %s', async (query) => {
    expect(new Set(await echoes.refuse(query))).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
  });
});
