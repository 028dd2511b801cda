import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { SessionConnection } from '../../../subgraphs/kernel/database.session.js';
import { freshDatabase } from '../../support/database.js';
import { Line } from '../../support/line.js';
import { silent } from '../../support/logger.js';

let url: string;
let onlooker: pg.Client;
beforeAll(async () => {
  url = await freshDatabase('session');
  onlooker = new pg.Client({ connectionString: url });
  await onlooker.connect();
});
afterAll(() => onlooker.end());

async function query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  return (await onlooker.query<Row>(sql)).rows;
}

describe('SessionConnection', () => {
  const connectionsOf = async (name: string) =>
    (
      await query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where application_name = '${name}'`,
      )
    )[0]?.count;

  it('is one connection, however many ask for it, and a new one after a loss', async () => {
    let connected = 0;
    const session = new SessionConnection(url, 'session-one', silent, async () => {
      connected += 1;
    });
    const clients = await Promise.all([session.get(), session.get(), session.get()]);
    expect(new Set(clients).size).toBe(1);
    expect([connected, await connectionsOf('session-one')]).toEqual([1, 1]);
    await query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'session-one'`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const renewed = await session.get();
    expect(renewed).not.toBe(clients[0]);
    expect((await renewed.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(connected).toBe(2);
    await session.stop();
    expect(await connectionsOf('session-one')).toBe(0);
    await expect(session.get()).rejects.toThrow('stopped');
  });

  it('stops also while it cannot connect', async () => {
    const session = new SessionConnection('postgres://x@127.0.0.1:1/x', 'session-two', silent);
    const waiting = session.get();
    waiting.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stoppedAt = Date.now();
    await session.stop();
    await expect(waiting).rejects.toThrow('stopped');
    expect(Date.now() - stoppedAt).toBeLessThan(1_000);
  });

  it('gives up a line that went dead without a word, and connects anew', async () => {
    await using line = await Line.to(url);
    const session = new SessionConnection(line.url, 'session-three', silent);
    const first = await session.get();
    // The server, too, notices, and gives back the locks of one that has not spoken for long.
    expect((await first.query('show idle_session_timeout')).rows).toEqual([{ idle_session_timeout: '30s' }]);
    line.goDead();
    await expect(first.query('select 1')).rejects.toThrow('timeout');
    const renewed = await session.get();
    expect(renewed).not.toBe(first);
    line.goDead();
    // Nobody asks anything now: it finds out by itself.
    while ((await session.get()) === renewed) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await (await session.get()).query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await session.stop();
  });

  it('stops on a dead line, with a query under way or none', async () => {
    for (const ask of [true, false]) {
      await using line = await Line.to(url);
      const session = new SessionConnection(line.url, 'session-four', silent);
      const client = await session.get();
      line.goDead();
      const asked = ask ? client.query('select 1') : Promise.reject(new Error('not asked'));
      asked.catch(() => undefined);
      const stoppedAt = Date.now();
      await session.stop();
      expect(Date.now() - stoppedAt).toBeLessThan(3_000);
      await expect(asked).rejects.toThrow();
    }
  });
});
