import { describe, expect, it } from '@jest/globals';
import { disagreements } from './agreement.js';
import { refusal } from './conforming.js';
import { type Answer, Monolith } from './monolith.js';

// What judges engines must itself be judged: each of these answers is wrong in one way.

const monolith = new Monolith(
  `type Query { rows: [Row] sure: [Row!] other: String }
   type Row { id: ID! name: String must: String! }`,
  {
    Query: {
      rows: () => ['1', '2', '3'].map((id) => ({ id })),
      sure: () => [{ id: '1' }, { id: '3' }],
      other: () => 'o',
    },
    Row: {
      name: ({ id }: { id: string }) => {
        if (id === '2') throw refusal('NO_NAME');
        return `n${id}`;
      },
      must: ({ id }: { id: string }) => {
        if (id === '3') throw refusal('NO_MUST');
        return id === '2' ? null : `m${id}`;
      },
    },
  },
);

const lawOf = (query: string) => monolith.run(query);
const wrong = async (query: string, change: (right: Answer) => Answer) => {
  const law = await lawOf(query);
  expect(disagreements(law.answer, law)).toEqual([]);
  return disagreements(change(structuredClone(law.answer)), law);
};
const error = (code: string, ...path: (string | number)[]) => ({
  message: `refused: ${code}`,
  path,
  extensions: { code, transient: false },
});

describe('An answer disagrees', () => {
  it('when a value is another one, or missing, or one too many', async () => {
    for (const data of [{ other: 'x' }, {}, { other: null }, { other: 'o', more: 1 }, null])
      expect(await wrong('{ other }', () => ({ data }))).not.toEqual([]);
  });

  it('when its keys stand in another order', async () => {
    const change = ({ data }: Answer) => ({ data: { sure: data?.['sure'], other: data?.['other'] } });
    expect(await wrong('{ other sure { id } }', change)).not.toEqual([]);
  });

  it('when an error is missing, is told twice, at another place, with another code or without reason', async () => {
    const query = '{ rows { id name } }';
    const right = error('NO_NAME', 'rows', 1, 'name');
    const attempts = [
      [],
      [right, right],
      [error('NO_NAME', 'rows', 0, 'name')],
      [error('OTHER', 'rows', 1, 'name')],
      [{ ...right, path: undefined }],
      [right, error('NO_NAME', 'rows', 2, 'name')],
    ];
    for (const errors of attempts) expect(await wrong(query, ({ data }) => ({ data, errors }))).not.toEqual([]);
    expect(await wrong(query, ({ data }) => ({ data, errors: [right] }))).toEqual([]);
    expect(await wrong('{ other }', ({ data }) => ({ data, errors: [] }))).not.toEqual([]);
  });

  it('not over which of several errors made a place null, nor over those below it', async () => {
    const query = '{ rows { must name } }';
    const { answer, possible } = await lawOf(query);
    // graphql-js stops at the promise that the second row broke; its name fails too.
    expect(answer.errors?.map(({ path }) => path?.join('.'))).toEqual(['rows.1.must', 'rows.2.must']);
    expect(possible.map(({ path }) => path?.join('.'))).toContain('rows.1.name');
    const [broken, failed] = answer.errors ?? [];
    const below = error('NO_NAME', 'rows', 1, 'name');
    for (const errors of [
      [below, failed],
      [below, broken, failed],
    ] as never[])
      expect(await wrong(query, ({ data }) => ({ data, errors }))).toEqual([]);
    expect(await wrong(query, ({ data }) => ({ data, errors: [below] }))).not.toEqual([]);
  });

  it('when what takes everything with it is not told', async () => {
    expect(await wrong('{ sure { must } }', ({ data }) => ({ data }))).not.toEqual([]);
  });
});
