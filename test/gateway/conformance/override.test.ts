import { describe, expect, it } from '@jest/globals';
import { labelsIn, Overrides } from '../../../gateway/plan.override.js';
import { loadSupergraph } from '../../../gateway/supergraph.js';
import { conforming, cut, type GraphDefinition } from './conforming.js';
import { compose } from './federation.js';

const moved = (label: string) => `@override(from: "old", label: "${label}")`;
const graph: GraphDefinition = {
  resolvers: {
    Query: { item: (_: unknown, { id }: { id: string }) => ({ id }) },
    Mutation: { add: () => ({ id: 'i9' }) },
    Item: {
      all: ({ id }: { id: string }) => `all of ${id}`,
      none: ({ id }: { id: string }) => `none of ${id}`,
      half: ({ id }: { id: string }) => `half of ${id}`,
      other: ({ id }: { id: string }) => `half of ${id} too`,
      named: ({ id }: { id: string }) => `named by ${id}`,
    },
  },
  references: { Item: ({ id }: { id: string }) => ({ id }) },
  subgraphs: {
    old: `
      type Query { item(id: ID!): Item }
      type Mutation { add: Item }
      type Item @key(fields: "id") { id: ID! all: String none: String half: String other: String named: String }`,
    new: `
      type Item @key(fields: "id") {
        id: ID!
        all: String ${moved('percent(100)')}
        none: String ${moved('percent(0)')}
        half: String ${moved('percent(50)')}
        other: String ${moved('percent(50.0)')}
        named: String ${moved('try-it')}
      }`,
  },
};

const ITEM = 'query ($id: ID!) { item(id: $id) { all none half other named } }';
// So often in a row, one of two is drawn by chance once in 10^18 runs.
const MANY = 60;

describe.each([{ ownThread: false }, { ownThread: true }])(
  'A field that moves by percent, planned by %j',
  (planning) => {
    const items = conforming(graph, {
      planning: { ...planning, mostWaiting: 500, mostMs: 60_000, mostMebibytes: 512 },
    });
    const movedFields = async (query: string) => {
      const fetches = await items.fetches(query, { id: 'i1' });
      const text = fetches.find(({ subgraph }) => subgraph === 'new')?.query ?? '';
      return ['all', 'none', 'half', 'other', 'named'].filter((name) => text.includes(name)).join(' ');
    };

    /** Which fields of it moved, each time, until both were drawn that can be. */
    const drawnFor = async (query: string) => {
      const seen = new Set<string>();
      for (let index = 0; index < MANY && seen.size < 2; index += 1) seen.add(await movedFields(query));
      for (let index = 0; index < 4; index += 1) seen.add(await movedFields(query));
      return [...seen].toSorted();
    };

    it('is asked of the subgraph to which it moves by so many requests, and answered the same by all', async () => {
      expect(await drawnFor(ITEM)).toEqual(['all', 'all half other']);
      for (let index = 0; index < 6; index += 1) await items.agree(ITEM, { id: `i${index}` });
    });

    it('is drawn for each mutation', async () => {
      expect(await drawnFor('mutation { add { half none named } }')).toEqual(['', 'half']);
      for (let index = 0; index < 6; index += 1) await items.agree('mutation { add { half none named } }');
    });

    it('is not what a client’s comment makes of it', async () => {
      const query = '# @override percent(0)\n{ item(id: "i1") { none half } }';
      for (let index = 0; index < 5; index += 1) expect(await movedFields(query)).not.toContain('none');
      await items.agree(query);
    });
  },
);

describe('What is drawn for a request', () => {
  const { supergraph } = loadSupergraph(compose(cut(graph)).supergraph);

  it.each([
    [0, ['percent(100)', 'percent(50)', 'percent(50.0)']],
    [49.9, ['percent(100)', 'percent(50)', 'percent(50.0)']],
    [50, ['percent(100)']],
    [99.9, ['percent(100)']],
  ])('is every percentage above %d', (drawn, labels) => {
    expect(labelsIn(`${Overrides.of(supergraph)?.draw(drawn)}{ item }`)).toEqual(labels);
  });

  it('is nothing where no field moves by percent', () => {
    const { old = '' } = graph.subgraphs;
    expect(
      Overrides.of(loadSupergraph(compose(cut({ ...graph, subgraphs: { old } })).supergraph).supergraph),
    ).toBeNull();
    expect(labelsIn('{ item }')).toEqual([]);
  });
});
