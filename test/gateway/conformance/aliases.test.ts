import { describe, expect, it } from '@jest/globals';
import { conforming } from './conforming.js';

const own = (id: string) => ({ id, name: `name ${id}`, size: id.length });

// Names that every JavaScript object seems to have already.
const HAUNTED = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  'length',
  'prototype',
  'get',
];

const haunted = (value: string) =>
  Object.fromEntries(
    ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length'].map((name) => [name, () => value]),
  );

const boxes = conforming({
  resolvers: {
    Query: {
      boxes: () => ['b1', 'b2'].map(own),
      box: (_: unknown, { id }: { id: string }) => own(id),
      matrix: () => [[own('b3')], [own('b4'), own('b5')]],
      // biome-ignore lint/suspicious/noThenProperty: data with this name must not be taken for a promise
      then: () => 'not a promise',
    },
    Box: {
      text: ({ id }: { id: string }, { size, upper }: { size: number; upper: boolean }) => {
        const text = `text of ${id}`.slice(0, size);
        return upper ? text.toUpperCase() : text;
      },
      inner: ({ id }: { id: string }, { n }: { n: number }) => own(`${id}.${n}`),
      many: ({ id }: { id: string }, { n }: { n: number }) =>
        Array.from({ length: n }, (_, index) => own(`${id}.${index}`)),
      ...haunted('of the second'),
    },
    Label: haunted('of a label'),
  },
  references: { Box: ({ id }: { id: string }) => own(id) },
  subgraphs: {
    first: `
      type Query { boxes: [Box!]! box(id: ID!): Box! matrix: [[Box!]!]! then: String }
      type Box @key(fields: "id") { id: ID! name: String! size: Int! label: Label }
      type Label { toString: String constructor: String then: String length: String }`,
    second: `
      type Box @key(fields: "id") {
        id: ID!
        text(size: Int! = 100, upper: Boolean = false): String!
        inner(n: Int! = 0): Box!
        many(n: Int! = 2): [Box!]!
        constructor: String toString: String hasOwnProperty: String valueOf: String length: String
      }`,
  },
});

describe('An alias', () => {
  it.each([
    ['of a field of the first subgraph', '{ boxes { a: name b: name name } }'],
    ['of a field of another', '{ boxes { a: text b: text text } }'],
    ['of root fields', '{ a: boxes { id } b: boxes { text } boxes { name } c: box(id: "x") { text } }'],
    [
      'for different arguments',
      '{ boxes { a: text(size: 1) b: text(size: 2) text(size: 3) d: text(size: 4, upper: true) } }',
    ],
    [
      'for different arguments of entities',
      '{ boxes { a: inner(n: 1) { name } b: inner(n: 2) { name text } inner { id } } }',
    ],
    [
      'for lists of entities',
      '{ boxes { a: many(n: 1) { text } b: many(n: 3) { t: text name } c: many(n: 0) { text } } }',
    ],
    ['at each level', '{ m: matrix { i: id x: inner(n: 1) { y: inner(n: 2) { z: text(size: 9) w: name } } } }'],
    [
      "that is the field's own name, beside the field itself",
      '{ boxes { text: text text inner: inner { name } inner { text } } boxes: boxes { name: name } }',
    ],
    ['that swaps two names', '{ boxes { name: text text: name } }'],
    ['that swaps names of root fields', '{ boxes: box(id: "x") { text } box: boxes { text } }'],
    ["that takes an inner field's name", '{ boxes { inner: name name: inner(n: 4) { inner: text text: name } } }'],
    [
      'in fragments that meet',
      '{ boxes { ...a ...b } } fragment a on Box { x: text(size: 2) y: name } fragment b on Box { y: name z: text }',
    ],
    ['that looks like the planner’s', '{ boxes { text__alias_0: text text__alias_1: name name__alias_0: size } }'],
    ['with underscores', '{ _: boxes { _a: text _: name a_: size } }'],
    ['of __typename', '{ t: __typename boxes { u: __typename text v: __typename } }'],
  ])('holds %s', (_what, query) => boxes.agree(query));

  it.each([
    ['a name that the protocol of entities has', '{ _entities: boxes { text _entities: name } }'],
    ['the name of the key', '{ boxes { id: text } }'],
    ['the name of the key, of a field of the same subgraph', '{ boxes { id: name text } }'],
    ['the name of the key, and the key another', '{ boxes { id: text key: id name } }'],
    ['the name of the key at each level', '{ matrix { id: name inner { id: text name: id inner { id: size } } } }'],
  ])('may be %s', (_what, query) => boxes.agree(query));

  it.each(HAUNTED)('may be %s', async (name) => {
    await boxes.agree(`{ ${name}: boxes { id } }`);
    await boxes.agree(`{ boxes { ${name}: name } }`);
    await boxes.agree(`{ boxes { ${name}: text(size: 3) other: text } }`);
    await boxes.agree(`{ boxes { name ${name}: inner(n: 1) { name text } } }`);
    await boxes.agree(
      `{ boxes { ${name}: many(n: 2) { ${name}: text(size: 7) id } } ${name}: box(id: "x") { ${name}: text } }`,
    );
    await boxes.agree(`{ ${name}: matrix { ${name}: inner { ${name}: inner { ${name}: text name } } } }`);
    expect(({} as Record<string, unknown>)['text']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('A field', () => {
  it('may have a name that every JavaScript object has', async () => {
    await boxes.agree('{ boxes { constructor toString hasOwnProperty valueOf length } }');
    await boxes.agree('{ then boxes { name length constructor x: toString } box(id: "y") { toString } }');
  });

  it('of such a name is null where it is null', async () => {
    const { data } = await boxes.agree('{ boxes { label { toString then } } }');
    expect(data).toEqual({ boxes: [{ label: null }, { label: null }] });
  });
});
