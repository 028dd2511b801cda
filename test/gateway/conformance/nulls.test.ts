import { describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

// What is wrong with a node is in its id: `n` has null where it promised a value, `e` an error there, `x` does not exist
// in the second subgraph.
const node = (id: string) => ({ id });
const broken = (id: string) => {
  if (id.startsWith('e')) throw refusal(`AT_${id.toUpperCase()}`);
  return id.startsWith('n') || id.startsWith('x') ? null : `value ${id}`;
};

const tree = conforming({
  resolvers: {
    Query: {
      node: (_: unknown, { id }: { id: string }) => node(id),
      sure: (_: unknown, { id }: { id: string }) => node(id),
      nodes: (_: unknown, { ids }: { ids: string[] }) => ids.map(node),
      sureNodes: (_: unknown, { ids }: { ids: string[] }) => ids.map(node),
      holes: (_: unknown, { ids }: { ids: (string | null)[] }) => ids.map((id) => id && node(id)),
      sureHoles: (_: unknown, { ids }: { ids: (string | null)[] }) => ids.map((id) => id && node(id)),
      matrix: (_: unknown, { ids }: { ids: string[][] }) => ids.map((row) => row.map(node)),
      sureMatrix: (_: unknown, { ids }: { ids: string[][] }) => ids.map((row) => row.map(node)),
      alone: () => 'alone',
      missing: () => null,
    },
    Node: {
      maybe: ({ id }: { id: string }) => broken(id),
      must: ({ id }: { id: string }) => broken(id),
      tags: ({ id }: { id: string }) => ['a', broken(id), 'c'],
      mustTags: ({ id }: { id: string }) => ['a', broken(id), 'c'],
      child: (_: unknown, { id }: { id: string }) => node(id),
      mustChild: (_: unknown, { id }: { id: string }) => node(id),
      children: (_: unknown, { ids }: { ids: string[] }) => ids.map(node),
      mustChildren: (_: unknown, { ids }: { ids: string[] }) => ids.map(node),
      own: ({ id }: { id: string }) => `own ${id}`,
      mustOwn: ({ id }: { id: string }) => broken(id),
    },
  },
  references: { Node: (reference: object) => reference },
  subgraphs: {
    first: `
      type Query {
        node(id: ID!): Node
        sure(id: ID!): Node!
        nodes(ids: [ID!]!): [Node]
        sureNodes(ids: [ID!]!): [Node!]!
        holes(ids: [ID]!): [Node]
        sureHoles(ids: [ID]!): [Node!]
        matrix(ids: [[ID!]!]!): [[Node]]
        sureMatrix(ids: [[ID!]!]!): [[Node!]!]
        alone: String
      }
      type Node @key(fields: "id") { id: ID! own: String! mustOwn: String! }`,
    second: `
      type Query { missing: String! }
      type Node @key(fields: "id") {
        id: ID! maybe: String must: String! tags: [String] mustTags: [String!]
        child(id: ID!): Node mustChild(id: ID!): Node!
        children(ids: [ID!]!): [Node] mustChildren(ids: [ID!]!): [Node!]!
      }`,
  },
});

const paths = (answer: { errors?: readonly { path?: readonly unknown[] }[] }) =>
  (answer.errors ?? []).map(({ path }) => path?.join('.')).toSorted();

describe('A null in a promised place', () => {
  it('in a nullable field is just null', async () => {
    const { errors } = await tree.agree('{ node(id: "n1") { id maybe own } nodes(ids: ["n1", "a1"]) { maybe } }');
    expect(errors).toBeUndefined();
  });

  it('makes its object null, with an error at its place', async () => {
    const answer = await tree.agree('{ node(id: "n1") { id must } alone }');
    expect(answer.data).toEqual({ node: null, alone: 'alone' });
    expect(paths(answer)).toEqual(['node.must']);
  });

  it('makes only its own row null', async () => {
    const answer = await tree.agree('{ nodes(ids: ["a1", "n2", "a3", "n4"]) { id must } }');
    expect(paths(answer)).toEqual(['nodes.1.must', 'nodes.3.must']);
  });

  it('goes on up through what promised it', async () => {
    expect((await tree.agree('{ sure(id: "n1") { must } alone }')).data).toBeNull();
    expect((await tree.agree('{ sureNodes(ids: ["a1", "n2"]) { must } alone }')).data).toBeNull();
    expect((await tree.agree('{ node(id: "a") { mustChild(id: "n1") { must } own } alone }')).data).toEqual({
      node: null,
      alone: 'alone',
    });
    await tree.agree('{ node(id: "a") { child(id: "b") { mustChild(id: "n1") { must } } own } }');
    await tree.agree('{ node(id: "a") { children(ids: ["a", "n2", "b"]) { must } own } }');
    await tree.agree('{ node(id: "a") { mustChildren(ids: ["a", "n2", "b"]) { must } own } }');
    await tree.agree('{ nodes(ids: ["a", "b"]) { mustChildren(ids: ["a", "n2", "b"]) { own must } own } }');
  });

  it('in a list stays there, or takes the list with it', async () => {
    await tree.agree('{ node(id: "n1") { tags own } }');
    const answer = await tree.agree('{ node(id: "n1") { mustTags own } }');
    expect(answer.data).toEqual({ node: { mustTags: null, own: 'own n1' } });
    expect(paths(answer)).toEqual(['node.mustTags.1']);
  });

  it('goes up through lists of lists', async () => {
    await tree.agree('{ matrix(ids: [["a", "n1"], ["b"], []]) { must own } }');
    await tree.agree('{ sureMatrix(ids: [["a", "n1"], ["b"], []]) { must own } alone }');
    await tree.agree('{ sureMatrix(ids: [["a", "b"], ["n1", "n2"]]) { maybe } }');
  });

  it('is told of the place that the client named', async () => {
    expect(
      paths(await tree.agree('{ x: node(id: "n1") { y: must } z: sure(id: "a") { w: child(id: "n2") { v: must } } }')),
    ).toEqual(['x.y', 'z.w.v']);
  });

  it('of a whole subgraph at the root makes everything null', async () => {
    const answer = await tree.agree('{ alone missing }');
    expect(answer.data).toBeNull();
    expect(paths(answer)).toEqual(['missing']);
  });

  it('already null in a list is no error there', async () => {
    await tree.agree('{ holes(ids: ["a", null, "b"]) { must own } }');
    await tree.agree('{ sureHoles(ids: ["a", null, "b"]) { must own } alone }');
  });

  it('in the first subgraph keeps its object from being asked for any further', async () => {
    const answer = await tree.agree('{ nodes(ids: ["a", "n1"]) { mustOwn maybe } }');
    expect(paths(answer)).toEqual(['nodes.1.mustOwn']);
    const fetches = await tree.fetches('{ node(id: "n1") { mustOwn maybe } }');
    expect(fetches).toHaveLength(1);
  });
});

describe('An error in a promised place', () => {
  it('is the only one of its place: the missing value is not told twice', async () => {
    const answer = await tree.agree('{ node(id: "e1") { must } alone }');
    expect(paths(answer)).toEqual(['node.must']);
    expect(answer.errors?.[0]?.extensions?.['code']).toBe('AT_E1');
    expect(paths(await tree.agree('{ sure(id: "e1") { must } alone }'))).toEqual(['sure.must']);
  });

  it('goes up as a null does', async () => {
    await tree.agree('{ nodes(ids: ["a", "e1", "b", "e2"]) { must } }');
    await tree.agree('{ sureNodes(ids: ["a", "e1", "b"]) { must } alone }');
    await tree.agree('{ node(id: "a") { mustChildren(ids: ["a", "e2", "b"]) { must } own } }');
    await tree.agree(
      '{ matrix(ids: [["a", "e1"], ["b"]]) { must own } sureMatrix(ids: [["e2"], ["b"]]) { must own } }',
    );
    await tree.agree(
      '{ node(id: "a") { x: child(id: "e1") { must } y: mustChild(id: "b") { z: child(id: "e2") { must } } } }',
    );
  });

  it('in a nullable place leaves all else as it is', async () => {
    const answer = await tree.agree('{ nodes(ids: ["a", "e1", "n1"]) { maybe own id } }');
    expect(paths(answer)).toEqual(['nodes.1.maybe']);
  });

  it('of one row does not hide what is missing in another', async () => {
    const answer = await tree.agree('{ nodes(ids: ["e1", "n1", "a", "n2", "e2"]) { must own } }');
    expect(paths(answer)).toEqual(['nodes.0.must', 'nodes.1.must', 'nodes.3.must', 'nodes.4.must']);
  });

  it('of one field does not hide what is missing in another', async () => {
    expect(paths(await tree.agree('{ a: node(id: "e1") { maybe } b: node(id: "n1") { must } }'))).toEqual([
      'a.maybe',
      'b.must',
    ]);
    expect(paths(await tree.agree('{ a: nodes(ids: ["e1"]) { maybe } missing }'))).toContain('missing');
  });
});
