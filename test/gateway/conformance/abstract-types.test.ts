import { describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

interface Animal {
  __typename: 'Cat' | 'Dog' | 'Fish';
  id: string;
  name: string;
  lives?: number;
  tricks?: string[];
  friends: string[];
}
const ANIMALS: Animal[] = [
  { __typename: 'Cat', id: 'a1', name: 'Tom', lives: 9, friends: ['a2', 'a3'] },
  { __typename: 'Dog', id: 'a2', name: 'Rex', tricks: ['sit', 'roll'], friends: ['a1'] },
  { __typename: 'Fish', id: 'a3', name: 'Bob', friends: [] },
  { __typename: 'Dog', id: 'a4', name: 'Ada', tricks: [], friends: ['a4', 'a2'] },
];
const animal = ({ id }: { id: string }) => ANIMALS.find((one) => one.id === id);
const typename = ({ __typename }: { __typename: string }) => __typename;
const age = ({ id }: { id: string }) => Number(id.slice(1)) * 2;
const common = {
  friends: ({ friends }: Animal) => friends.map((id) => animal({ id })),
  age,
  owner: ({ id }: { id: string }) =>
    id === 'a3' ? null : { __typename: age({ id }) > 2 ? 'Club' : 'Person', id: `o${id.slice(1)}` },
};

const zoo = conforming({
  resolvers: {
    Query: {
      animals: () => ANIMALS,
      animal: (_: unknown, ref: { id: string }) => animal(ref),
      found: () => [ANIMALS[1], { __typename: 'Stick', length: 12 }, null, ANIMALS[0]],
      nested: () => [
        [ANIMALS[0], null],
        [ANIMALS[1], ANIMALS[2]],
      ],
      named: () => [ANIMALS[0], { __typename: 'Person', id: 'o9' }, ANIMALS[3]],
    },
    Animal: { __resolveType: typename },
    Pet: { __resolveType: typename },
    Found: { __resolveType: typename },
    Owner: { __resolveType: typename },
    Named: { __resolveType: typename },
    Cat: { ...common, toy: () => ({ id: 't1', label: 'ball' }) },
    Dog: { ...common, toy: () => ({ id: 't2', label: 'bone' }), weight: ({ id }: { id: string }) => id.length },
    Fish: { ...common, water: () => 'salt' },
    Person: { name: ({ id }: { id: string }) => `Person ${id}`, phone: ({ id }: { id: string }) => `555-${id}` },
    Club: { title: ({ id }: { id: string }) => `Club ${id}`, members: () => [{ id: 'o1' }, { id: 'o2' }] },
    Toy: { label: ({ id }: { id: string }) => (id === 't1' ? 'ball' : 'bone') },
  },
  references: {
    Cat: animal,
    Dog: animal,
    Fish: animal,
    Person: (reference: object) => reference,
    Club: (reference: object) => reference,
    Toy: (reference: object) => reference,
  },
  subgraphs: {
    animals: `
      type Query { animals: [Animal!]! animal(id: ID!): Animal found: [Found] nested: [[Pet]] named: [Named!]! }
      interface Animal { id: ID! name: String! friends: [Animal!]! }
      interface Pet { id: ID! name: String! }
      interface Named { id: ID! }
      union Found = Cat | Dog | Stick
      type Stick { length: Int! }
      type Cat implements Animal & Pet & Named @key(fields: "id") { id: ID! name: String! lives: Int! friends: [Animal!]! }
      type Dog implements Animal & Pet & Named @key(fields: "id") { id: ID! name: String! tricks: [String!]! friends: [Animal!]! }
      type Fish implements Animal & Pet @key(fields: "id") { id: ID! name: String! friends: [Animal!]! }
      type Person implements Named @key(fields: "id") { id: ID! }`,
    care: `
      interface Animal { age: Int! owner: Owner }
      interface Tired { age: Int! }
      union Owner = Person | Club
      type Cat implements Animal & Tired @key(fields: "id") { id: ID! age: Int! owner: Owner toy: Toy! }
      type Dog implements Animal & Tired @key(fields: "id") { id: ID! age: Int! owner: Owner toy: Toy! weight: Int! }
      type Fish implements Animal @key(fields: "id") { id: ID! age: Int! owner: Owner water: String! }
      type Person @key(fields: "id") { id: ID! }
      type Club @key(fields: "id") { id: ID! }
      type Toy @key(fields: "id", resolvable: false) { id: ID! }`,
    people: `
      type Person @key(fields: "id") { id: ID! name: String! phone: String! }
      type Club @key(fields: "id") { id: ID! title: String! members: [Person!]! }
      type Toy @key(fields: "id") { id: ID! label: String! }`,
  },
});

describe('An interface', () => {
  it('is answered with the fields of its own subgraph', () => zoo.agree('{ animals { id name __typename } }'));
  it('is answered with fields that each type has in another subgraph', () => zoo.agree('{ animals { name age } }'));
  it('has fields on the type of each object', () =>
    zoo.agree(
      '{ animals { name ... on Cat { lives toy { label } } ... on Dog { tricks weight } ... on Fish { water } } }',
    ));
  it('holds entities of several types, each of which is asked in its own subgraph', () =>
    zoo.agree(
      '{ animals { age owner { __typename ... on Person { name phone } ... on Club { title members { name } } } } }',
    ));
  it('nests', () => zoo.agree('{ animals { friends { age friends { name owner { __typename } } } } }'));
  it('is asked through another interface', async () => {
    await zoo.agree('{ animals { ... on Pet { name } ... on Named { id } } }');
    await zoo.agree('{ animals { ... on Tired { age } } nested { ... on Animal { age friends { id } } } }');
    await zoo.agree(
      '{ named { id ... on Animal { age ... on Tired { age } } ... on Person { phone } ... on Pet { name } } }',
    );
  });
  it('in lists of lists', () =>
    zoo.agree('{ nested { name ... on Dog { tricks age } ... on Cat { lives toy { label } } } }'));
  it('by one object', async () => {
    for (const id of ['a1', 'a2', 'a3', 'none'])
      await zoo.agree(
        'query ($id: ID!) { animal(id: $id) { age ... on Cat { toy { label } } ... on Dog { weight } } }',
        { id },
      );
  });
  it('with named fragments, nested, on it and on its types', () =>
    zoo.agree(`{ animals { ...any ...cat } nested { ...pet } }
      fragment any on Animal { id ...owner age }
      fragment owner on Animal { owner { ...person ... on Club { title } } }
      fragment person on Person { name }
      fragment cat on Cat { ...owner lives toy { ...toy } }
      fragment toy on Toy { label id }
      fragment pet on Pet { id ...dog ...cat }
      fragment dog on Dog { weight ...any }`));
  it('keeps the order of keys when fragments follow fields', () =>
    zoo.agree('{ animals { owner { __typename } ... on Cat { toy { id } owner { ... on Person { phone } } } age } }'));
  it('keeps the order of keys when a conditional field or fragment stands before a plain one', async () => {
    await zoo.agree('{ animals { ... on Cat { lives @skip(if: false) } age ... on Cat { toy { label } } } }');
    await zoo.agree(
      'query ($y: Boolean = true) { animals { ... @include(if: $y) { age } name ... on Dog @include(if: $y) { tricks } id } }',
    );
    await zoo.agree(
      'query ($y: Boolean = true) { found { ... on Dog { name } } animals @include(if: $y) { id } ... { found { __typename } } named { id } }',
    );
  });

  it('keeps the order of keys when fragments of one type stand before and after a field', () =>
    zoo.agree(
      '{ animals { ... on Dog { weight } age ... on Cat { lives age } name ... on Dog { name id tricks } id } }',
    ));
  it('has the same name for different fields of different types', () =>
    zoo.agree(
      '{ animals { ... on Cat { x: lives y: age } ... on Dog { x: weight y: age } ... on Fish { z: water } } }',
    ));
  it('asks nobody for what no object needs', async () => {
    const fetches = await zoo.fetches('{ animal(id: "a3") { name ... on Cat { toy { label } } } }');
    expect(fetches.map(({ subgraph }) => subgraph)).toEqual(['animals']);
  });
});

describe('A union', () => {
  it('is answered by its members', () =>
    zoo.agree('{ found { ... on Dog { name tricks } ... on Stick { length } ... on Cat { lives } } }'));
  it('is answered by its members in other subgraphs, with nulls between', () =>
    zoo.agree(
      '{ found { __typename ... on Dog { age weight } ... on Stick { length } ... on Cat { toy { label } } } }',
    ));
  it('is empty where nothing is asked of a member', () => zoo.agree('{ found { ... on Stick { length } } }'));
  it('is asked through an interface of its members', () =>
    zoo.agree('{ found { ... on Animal { name age owner { ... on Club { members { phone } } } } } }'));
  it('has only a __typename', () => zoo.agree('{ found { __typename } }'));
});

describe('__typename', () => {
  it.each([
    '{ __typename }',
    '{ a: __typename b: __typename }',
    '{ animals { __typename } }',
    '{ animals { type: __typename } }',
    '{ animals { a: __typename __typename b: __typename age } }',
    '{ animals { owner { what: __typename } } }',
    '{ animals { ... on Cat { c: __typename toy { __typename t: __typename } } __typename } }',
    '{ __typename animals { id } }',
    '{ found { ... on Stick { s: __typename length } ... { t: __typename } } }',
    'query ($yes: Boolean!) { animals { __typename @include(if: $yes) age x: __typename @skip(if: $yes) } }',
  ])('is right everywhere, under any name: %s', (query) =>
    zoo.agree(query, query.includes('$yes') ? { yes: true } : {}),
  );
});

const merged = conforming({
  resolvers: {
    Query: {
      items: () => [
        { __typename: 'A', id: '1' },
        { __typename: 'B', id: '2' },
        { __typename: 'A', id: '3' },
      ],
      others: () => [
        { __typename: 'B', id: '4' },
        { __typename: 'C', id: '5' },
      ],
    },
    Item: { __resolveType: typename },
    Thing: { __resolveType: typename },
    A: {
      a: ({ id }: { id: string }) => `a${id}`,
      note: ({ id }: { id: string }) => (id === '3' ? null : `note ${id}`),
    },
    B: {
      b: ({ id }: { id: string }) => `b${id}`,
      note: () => {
        throw refusal('NO_NOTE');
      },
    },
    C: { c: ({ id }: { id: string }) => `c${id}` },
  },
  references: { A: (ref: object) => ref, B: (ref: object) => ref, C: (ref: object) => ref },
  subgraphs: {
    one: `
      type Query { items: [Item!]! }
      union Item = A | B
      type A @key(fields: "id") { id: ID! a: String! }
      type B @key(fields: "id") { id: ID! b: String! }`,
    two: `
      type Query { others: [Item!]! }
      union Item = B | C
      interface Thing { id: ID! note: String }
      type A implements Thing @key(fields: "id") { id: ID! note: String }
      type B implements Thing @key(fields: "id") { id: ID! note: String }
      type C @key(fields: "id") { id: ID! c: String! }`,
  },
});

describe('A union whose members lie in several subgraphs', () => {
  it('asks each subgraph only for the members that it knows', async () => {
    await merged.agree(
      '{ items { ... on A { a } ... on B { b } ... on C { c } } others { ... on B { b } ... on C { c } ... on A { a } } }',
    );
    await merged.agree('{ items { __typename ... on C { id } } others { __typename ... on A { id } } }');
  });
  it('is asked through an interface that only one subgraph has', async () => {
    const { errors } = await merged.agree('{ items { ... on Thing { id note } } others { ... on Thing { note } } }');
    expect(errors?.map(({ path }) => path).toSorted()).toEqual([
      ['items', 1, 'note'],
      ['others', 0, 'note'],
    ]);
  });
});
