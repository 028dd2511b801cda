import { describe, expect, it } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';
import { conforming, refusal } from './conforming.js';

const graph = conforming({
  resolvers: {
    Query: {
      users: () => [{ id: 'u1' }, { id: 'u2' }],
      failing: () => {
        throw refusal('FAILED');
      },
    },
    User: { name: ({ id }: { id: string }) => `User ${id}` },
  },
  references: { User: (reference: object) => reference },
  subgraphs: {
    ids: `
      type Query {
        "All of them." users(first: Int! = 10, filter: Filter): [User!]!
        old: String @deprecated(reason: "Use users.") failing: String
      }
      type Mutation { touch(id: ID!): User }
      input Filter { name: String = "x" kind: Kind }
      enum Kind { ONE TWO @deprecated }
      type User @key(fields: "id") { id: ID! }`,
    names: `
      "Who it is." type User implements Named @key(fields: "id") { id: ID! name: String! }
      interface Named { name: String! }
      type Query { anything: Any }
      union Any = User`,
  },
});

describe('Introspection', () => {
  it('answers as the plain schema does', () =>
    graph.agree(getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true })));

  it.each([
    '{ __type(name: "User") { name kind description fields { name type { kind ofType { name } } } interfaces { name } } }',
    'query ($n: String!) { __type(name: $n) { name enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } } }',
    '{ __schema { queryType { name } mutationType { name } subscriptionType { name } } }',
    '{ a: __type(name: "Filter") { inputFields { name defaultValue } } b: __type(name: "Nothing") { name } }',
  ])('answers %s', (query) => graph.agree(query, query.includes('$n') ? { n: 'Kind' } : {}));

  it('mixes with data, in the order of the question', async () => {
    await graph.agree('{ users { name } __schema { queryType { name } } }');
    await graph.agree('{ __schema { queryType { name } } users { id name __typename } __typename }');
    await graph.agree(
      '{ users { name } t: __type(name: "User") { name } more: users { id } s: __type(name: "Kind") { kind } }',
    );
    await graph.agree(
      'query ($n: String!, $if: Boolean!) { __type(name: $n) @include(if: $if) { name } users { name @skip(if: $if) id } }',
      {
        n: 'User',
        if: true,
      },
    );
    await graph.agree(
      '{ ...a ...b } fragment a on Query { __type(name: "User") { name } } fragment b on Query { users { name } }',
    );
  });

  it('stands beside an error', async () => {
    const { errors } = await graph.agree('{ failing __type(name: "User") { name } users { name } }');
    expect(errors?.map(({ path }) => path)).toEqual([['failing']]);
  });

  it('shows nothing of the federation', async () => {
    const text = JSON.stringify(await graph.agree(getIntrospectionQuery()));
    expect(text).not.toMatch(/_entities|_service|_Any|join__|link__|FieldSet|"key"/);
  });
});
