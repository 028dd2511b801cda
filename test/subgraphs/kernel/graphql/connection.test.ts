import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import {
  type ConnectionArgs,
  connectionOf,
  encodeCursor,
  pageOf,
  pageRequest,
} from '../../../../subgraphs/kernel/graphql/connection.js';
import { freshDatabase } from '../../../support/database.js';

let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: await freshDatabase('paging') });
  await client.connect();
  await client.query('create table item (id text collate "C" primary key)');
  await client.query(`insert into item select 'id_' || lpad(n::text, 4, '0') from generate_series(1, 57) n`);
});
afterAll(() => client.end());

/** Newest first, as every listing of ours. */
async function list(args: ConnectionArgs) {
  const request = pageRequest(args, /^id_/);
  const { rows } = await client.query<{ id: string }>(
    `select id from item where ($1::text is null or id < $1) and ($2::text is null or id > $2)
      order by id ${request.backward ? 'asc' : 'desc'} limit $3`,
    [request.after, request.before, request.limit + 1],
  );
  return connectionOf(
    pageOf(request, rows),
    (row) => row.id,
    (row) => row.id,
  );
}

const all = Array.from({ length: 57 }, (_, index) => `id_${String(57 - index).padStart(4, '0')}`);

describe('connection', () => {
  it('shows every entry once, in order, whatever the page size, forwards and backwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.boolean(), async (size, backwards) => {
        let seen: string[] = [];
        for (let cursor: string | null = null; ; ) {
          const page = await list(backwards ? { last: size, before: cursor } : { first: size, after: cursor });
          expect(page.nodes).toEqual(page.edges.map(({ node }) => node));
          expect(page.pageInfo.startCursor).toBe(page.edges[0]?.cursor ?? null);
          expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor ?? null);
          seen = backwards ? [...page.nodes, ...seen] : [...seen, ...page.nodes];
          expect(backwards ? page.pageInfo.hasNextPage : page.pageInfo.hasPreviousPage).toBe(cursor !== null);
          cursor = backwards ? page.pageInfo.startCursor : page.pageInfo.endCursor;
          if (!(backwards ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage)) break;
        }
        expect(seen).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  it('does not shift when something new arrives between two pages', async () => {
    const first = await list({ first: 5 });
    await client.query(`insert into item values ('id_9999')`);
    const second = await list({ first: 5, after: first.pageInfo.endCursor });
    await client.query(`delete from item where id = 'id_9999'`);
    expect([...first.nodes, ...second.nodes]).toEqual(all.slice(0, 10));
  });

  it('has twenty entries when nobody says how many, and none when asked for none', async () => {
    expect((await list({})).nodes).toEqual(all.slice(0, 20));
    const none = await list({ first: 0 });
    expect([none.nodes, none.pageInfo.hasNextPage, none.pageInfo.endCursor]).toEqual([[], true, null]);
  });

  it.each([[{ first: 101 }], [{ first: -1 }], [{ last: 101 }], [{ first: 1, last: 1 }]])('refuses %j', (args) => {
    expect(() => pageRequest(args, /^id_/)).toThrow(expect.objectContaining({ code: 'INVALID_PAGE' }));
  });

  it.each([
    'x',
    '',
    'id_0001',
    Buffer.from('k:').toString('base64url'),
    Buffer.from('k:\0').toString('base64url'),
    Buffer.from('k:é').toString('base64url'),
    Buffer.from([0x6b, 0x3a, 0xff, 0xfe]).toString('base64url'),
    encodeCursor('x'.repeat(201)),
    encodeCursor('key_of_another_list'),
  ])('refuses the cursor %j', (cursor) => {
    for (const args of [{ after: cursor }, { before: cursor }])
      expect(() => pageRequest(args, /^id_/)).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }));
  });
});
