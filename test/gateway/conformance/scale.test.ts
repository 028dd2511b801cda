import { describe, expect, it } from '@jest/globals';
import { conforming, representationsTo } from './conforming.js';

const row = (index: number) => ({
  id: `r${index}`,
  ownerId: `o${index % 7}`,
  parentId: index > 0 ? `r${index - 1}` : null,
});
const rows = (count: number) => Array.from({ length: count }, (_, index) => row(index));
const byId = ({ id }: { id: string }) => row(Number(id.slice(1)));

const big = conforming({
  resolvers: {
    Query: {
      rows: (_: unknown, { count }: { count: number }) => rows(count),
      same: (_: unknown, { count }: { count: number }) => Array.from({ length: count }, () => row(3)),
      grid: (_: unknown, { size }: { size: number }) => Array.from({ length: size }, () => rows(size)),
      row: (_: unknown, ref: { id: string }) => byId(ref),
    },
    Row: {
      parent: ({ parentId }: { parentId: string | null }) => parentId && byId({ id: parentId }),
      owner: ({ ownerId }: { ownerId: string }) => ({ id: ownerId }),
      label: ({ id }: { id: string }) => `label ${id}`,
      sum: ({ id }: { id: string }) => Number(id.slice(1)) + 1,
      tags: ({ id }: { id: string }) => (Number(id.slice(1)) % 5 === 0 ? null : [id, 'tag']),
    },
    Owner: {
      name: ({ id }: { id: string }) => `Owner ${id}`,
      rows: ({ id }: { id: string }) => rows(20).filter(({ ownerId }) => ownerId === id),
    },
  },
  references: { Row: byId, Owner: (reference: object) => reference },
  subgraphs: {
    rows: `
      type Query { rows(count: Int!): [Row!]! same(count: Int!): [Row!]! grid(size: Int!): [[Row!]!]! row(id: ID!): Row }
      type Row @key(fields: "id") { id: ID! parent: Row owner: Owner! }
      type Owner @key(fields: "id", resolvable: false) { id: ID! }`,
    labels: 'type Row @key(fields: "id") { id: ID! label: String! sum: Int! tags: [String!] }',
    owners: `
      type Owner @key(fields: "id") { id: ID! name: String! rows: [Row!]! }
      type Row @key(fields: "id", resolvable: false) { id: ID! }`,
  },
});

describe('Size', () => {
  it('of nothing', () => big.agree('{ rows(count: 0) { label owner { name } } grid(size: 0) { label } }'));

  it('of 10,000 rows over three subgraphs', async () => {
    const { data } = await big.agree('{ rows(count: 10000) { id label sum tags owner { name } } }');
    expect(data?.['rows']).toHaveLength(10_000);
  });

  it('of a grid of 50 by 50', () => big.agree('{ grid(size: 50) { label parent { sum } owner { name } } }'));

  it('of 100 root fields', () => {
    const fields = Array.from(
      { length: 100 },
      (_, index) => `f${index}: row(id: "r${index}") { label owner { name } }`,
    );
    return big.agree(`{ ${fields.join(' ')} }`);
  });

  it('of 300 fields of one entity', () => {
    const fields = Array.from({ length: 100 }, (_, index) => `a${index}: label b${index}: sum c${index}: tags`);
    return big.agree(`{ rows(count: 3) { ${fields.join(' ')} } }`);
  });

  it('of 30 levels in one subgraph', () => {
    const deep = Array.from({ length: 30 }).reduce<string>((inner) => `parent { id ${inner} }`, 'id');
    return big.agree(`{ row(id: "r40") { ${deep} } }`);
  });

  it('of 12 levels that go back and forth between subgraphs', () => {
    const deep = Array.from({ length: 12 }).reduce<string>((inner) => `parent { label ${inner} }`, 'owner { name }');
    return big.agree(`{ row(id: "r40") { ${deep} } }`);
  });

  it('of entities that lead back to themselves', () =>
    big.agree('{ row(id: "r9") { owner { rows { label owner { rows { sum owner { name } } } } } } }'));
});

describe('An entity that stands in many places', () => {
  it('is asked for once in each fetch', async () => {
    const query = '{ same(count: 500) { label } }';
    await big.agree(query);
    expect(representationsTo('labels', await big.fetches(query))).toEqual([{ __typename: 'Row', id: 'r3' }]);
    const owners = '{ rows(count: 700) { id owner { name } } }';
    await big.agree(owners);
    expect(representationsTo('owners', await big.fetches(owners))).toHaveLength(7);
    const nested = '{ grid(size: 10) { label } }';
    await big.agree(nested);
    expect(representationsTo('labels', await big.fetches(nested))).toHaveLength(10);
  });

  it('is asked for with what is different about it', async () => {
    await big.agree('{ a: same(count: 2) { label } b: rows(count: 5) { label } c: row(id: "r3") { sum label } }');
  });

  it('is a thing of its own in each place of the answer', async () => {
    const { data } = await big.agree('{ same(count: 3) { label owner { name } } }');
    expect(data?.['same']).toEqual(
      Array.from({ length: 3 }, () => ({ label: 'label r3', owner: { name: 'Owner o3' } })),
    );
  });
});
