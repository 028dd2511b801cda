import { beforeEach, describe, expect, it } from '@jest/globals';
import { conforming, refusal } from './conforming.js';

interface Item {
  id: string;
  text: string;
}

// Each run of an operation starts from nothing: the monolith and both gateways each write for themselves.
let log: string[] = [];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const write =
  (where: string) =>
  async (_: unknown, { text, ms = 0 }: { text: string; ms?: number }) => {
    log.push(`begin ${where} ${text}`);
    if (ms > 0) await sleep(ms);
    if (text === 'bad') throw refusal('BAD_TEXT');
    log.push(`end ${where} ${text}`);
    return { id: `${where}-${text}`, text };
  };

const desk = conforming({
  resolvers: {
    Query: { ping: () => 'pong' },
    Mutation: {
      left: write('left'),
      right: write('right'),
      leftSure: write('left'),
      rightSure: write('right'),
      count: () => log.filter((line) => line.startsWith('end')).length % 1000,
    },
    Item: {
      size: ({ text, id }: Item) => (text ?? id.split('-')[1] ?? '').length,
      shout: ({ id }: { id: string }) => {
        if (id.endsWith('mute')) throw refusal('MUTE');
        return id.toUpperCase();
      },
    },
  },
  references: { Item: ({ id }: Item) => ({ id, text: id.split('-')[1] }) },
  subgraphs: {
    left: `
      type Query { ping: String }
      type Mutation { left(text: String!, ms: Int): Item leftSure(text: String!, ms: Int): Item! }
      type Item @key(fields: "id") { id: ID! text: String! @shareable size: Int! }`,
    right: `
      type Mutation { right(text: String!, ms: Int): Item rightSure(text: String!, ms: Int): Item! }
      type Item @key(fields: "id") { id: ID! text: String! @shareable shout: String }`,
  },
});

const written = async (query: string, variables = {}) => {
  log = [];
  await desk.fetches(query, variables);
  return log;
};

describe('Mutations', () => {
  beforeEach(() => {
    log = [];
  });

  it('are answered as the monolith answers them', async () => {
    await desk.agree('mutation { left(text: "a") { id text } }');
    await desk.agree('mutation { left(text: "a") { id text shout size } right(text: "b") { size shout text } }');
    await desk.agree(
      'mutation ($t: String!) { a: left(text: $t) { shout } b: right(text: $t) { size } c: left(text: "c") { size } }',
      {
        t: 'x',
      },
    );
    await desk.agree('mutation { __typename left(text: "a") { __typename id } t: __typename }');
  });

  it('run one after the other in the order of the document, also when they alternate between subgraphs', async () => {
    const query = `mutation {
      a: left(text: "1", ms: 30) { id }
      b: right(text: "2", ms: 20) { id }
      c: left(text: "3", ms: 10) { id }
      d: right(text: "4") { id }
      e: right(text: "5", ms: 5) { id }
      f: left(text: "6") { id }
    }`;
    const order = ['left 1', 'right 2', 'left 3', 'right 4', 'right 5', 'left 6'];
    expect(await written(query)).toEqual(order.flatMap((step) => [`begin ${step}`, `end ${step}`]));
    await desk.agree(query);
  });

  it('run in the order of the document also through fragments and aliases', async () => {
    const query = `mutation { z: right(text: "1") { id } ...more a: left(text: "4") { id } }
      fragment more on Mutation { y: left(text: "2", ms: 10) { id } b: right(text: "3") { id } }`;
    expect((await written(query)).filter((line) => line.startsWith('begin'))).toEqual(
      ['right 1', 'left 2', 'right 3', 'left 4'].map((step) => `begin ${step}`),
    );
    await desk.agree(query);
  });

  it.each([
    [
      'after a named fragment of the same subgraph',
      'mutation { a: left(text: "1") { id } ...more c: left(text: "3") { id } } fragment more on Mutation { b: left(text: "2") { id } }',
      ['left 1', 'left 2', 'left 3'],
    ],
    [
      'after nested fragments',
      `mutation { a: left(text: "1") { id } ...one d: right(text: "4") { id } }
      fragment one on Mutation { b: left(text: "2") { id } ...two } fragment two on Mutation { c: left(text: "3") { id } }`,
      ['left 1', 'left 2', 'left 3', 'right 4'],
    ],
  ])('run in the order of the document also %s', async (_what, query, order) => {
    expect((await written(query)).filter((line) => line.startsWith('begin'))).toEqual(
      order.map((step) => `begin ${step}`),
    );
    await desk.agree(query);
  });

  it.each([
    'mutation { left(text: "1") @include(if: true) { id } right(text: "2") { id } left(text: "1") { text } }',
    'mutation { ...a right(text: "2") { id } ...a } fragment a on Mutation { left(text: "1") { id shout } }',
    'mutation { left(text: "1") @skip(if: false) { shout } right(text: "2") { size } ... { left(text: "1") { size } } }',
  ])('run once though the document names them in several places, others in between: %s', async (query) => {
    expect((await written(query)).filter((line) => line.startsWith('begin'))).toEqual([
      'begin left 1',
      'begin right 2',
    ]);
    await desk.agree(query);
  });

  it('that are skipped do not run', async () => {
    const query = `mutation ($if: Boolean!) {
      left(text: "1") @include(if: $if) { id } right(text: "2") @skip(if: $if) { shout } x: left(text: "3") { id }
    }`;
    for (const value of [true, false]) {
      await desk.agree(query, { if: value });
      expect((await written(query, { if: value })).filter((line) => line.startsWith('begin'))).toEqual([
        value ? 'begin left 1' : 'begin right 2',
        'begin left 3',
      ]);
    }
  });

  it('go on after one that failed in a nullable field', async () => {
    const query =
      'mutation { a: left(text: "bad") { id } b: right(text: "2") { id shout } c: left(text: "3") { size } }';
    const { data, errors } = await desk.agree(query);
    expect(data).toMatchObject({ a: null, b: { id: 'right-2' }, c: { size: 1 } });
    expect(errors?.map(({ path }) => path)).toEqual([['a']]);
  });

  it('fail as a whole where one was promised, once', async () => {
    const { data, errors } = await desk.agree('mutation { a: left(text: "1") { id } b: leftSure(text: "bad") { id } }');
    expect(data).toBeNull();
    expect(errors?.map(({ path }) => path)).toEqual([['b']]);
  });

  it('are asked once, and what they return is asked for further', async () => {
    const query = 'mutation { left(text: "mute") { shout size } }';
    const { errors } = await desk.agree(query);
    expect(errors?.map(({ path }) => path)).toEqual([['left', 'shout']]);
    const fetches = await desk.fetches(query);
    expect(fetches.filter((fetch) => fetch.query.startsWith('mutation'))).toHaveLength(1);
  });

  it('are not deduplicated: the same one twice has its effect twice', async () => {
    expect(await written('mutation { a: left(text: "x") { id } b: left(text: "x") { id } }')).toHaveLength(4);
    log = [];
    const query = 'mutation { left(text: "same", ms: 20) { id } }';
    await Promise.all([desk.fetches(query), desk.fetches(query), desk.fetches(query)]);
    expect(log).toHaveLength(6);
  });
});
