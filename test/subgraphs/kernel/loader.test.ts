import { describe, expect, it } from '@jest/globals';
import { manyByKey, oneByKey } from '../../../subgraphs/kernel/loader.js';

describe('loaders', () => {
  it('answer in the order of the keys, with null or nothing where there is no row', async () => {
    const asked: (readonly string[])[] = [];
    const rows = [
      { key: 'b', n: 1 },
      { key: 'a', n: 2 },
      { key: 'b', n: 3 },
    ];
    const fetch = async (keys: readonly string[]) => {
      asked.push(keys);
      return rows.filter(({ key }) => keys.includes(key));
    };
    expect(await oneByKey(fetch, (row) => row.key).loadMany(['a', 'x', 'b'])).toEqual([rows[1], null, rows[2]]);
    expect(await manyByKey(fetch, (row) => row.key).loadMany(['b', 'x', 'a'])).toEqual([
      [rows[0], rows[2]],
      [],
      [rows[1]],
    ]);
    expect(asked).toHaveLength(2);
  });
});
