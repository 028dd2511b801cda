import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEntity, p } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { createMissingDatabase, migrate, openDatabase, ping, transaction } from '../../../subgraphs/kernel/database.js';
import { isDatabaseError } from '../../../subgraphs/kernel/database.retry.js';
import { commitTogether } from '../../../subgraphs/kernel/database.rows.js';
import {
  findReplay,
  IdempotencyKeyReused,
  type IdempotentRequest,
  idempotencyTable,
  KEY_CLAIMED,
  keyClaim,
  once,
} from '../../../subgraphs/kernel/idempotency.js';
import { freshDatabase } from '../../support/database.js';
import { Line } from '../../support/line.js';

const CounterSchema = defineEntity({ name: 'Counter', properties: { id: p.integer().primary(), n: p.integer() } });

class First extends Migration {
  override up(): void {
    this.addSql('create table counter (id int primary key, n int not null check (n >= 0))');
    this.addSql('insert into counter values (1, 0), (2, 0)');
    this.addSql(idempotencyTable);
  }
}

class Second extends Migration {
  override up(): void {
    this.addSql('alter table counter add column note text');
  }
}

const open = (url: string, migrations = [First], onStatement?: (sql: string) => void) =>
  openDatabase({
    name: 'test',
    url,
    entities: [CounterSchema],
    migrations,
    poolSize: 10,
    ...(onStatement && { onStatement }),
  });

let url: string;
let orm: MikroORM;

beforeAll(async () => {
  url = await freshDatabase('kernel', async (template) => {
    const prepared = await open(template);
    await migrate(prepared, template);
    await prepared.close();
  });
  orm = await open(url);
});
afterAll(() => orm.close());

async function query<Row extends pg.QueryResultRow>(sql: string, at = url): Promise<Row[]> {
  const client = new pg.Client({ connectionString: at });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const countOf = async (id: number) => (await query<{ n: number }>(`select n from counter where id = ${id}`))[0]?.n;

describe('A statement', () => {
  it.each([
    ['as long as anybody waits for an answer', {}, '10s'],
    ['longer where nobody does', { statementWithinMs: 90_000 }, '90s'],
  ])('may take %s', async (_, options, most) => {
    const opened = await openDatabase({ name: 'limits', url, entities: [CounterSchema], migrations: [], ...options });
    const [row] = await opened.em
      .fork()
      .execute<{ seconds: string }[]>(
        "select extract(epoch from current_setting('statement_timeout')::interval)::int || 's' as seconds",
      );
    await opened.close();
    expect(row?.seconds).toBe(most);
  });
});

describe('A row', () => {
  it.each([
    ['by its key, however few there are, as there will be many', {}, 'Index'],
    ['as the planner likes where tables are read whole', { readsWhole: true }, 'Seq Scan'],
  ])('is found %s', async (_, options, expected) => {
    await query('analyze counter');
    const opened = await openDatabase({ name: 'keys', url, entities: [CounterSchema], migrations: [], ...options });
    const plan = await opened.em.fork().execute('explain select n from counter where id = 1');
    await opened.close();
    expect(JSON.stringify(plan)).toContain(expected);
  });
});

describe('transaction', () => {
  it('commits all or nothing', async () => {
    await transaction(orm.em, (em) => em.execute('update counter set n = 10 where id = 1'));
    const failing = transaction(orm.em, async (em) => {
      await em.execute('update counter set n = 99 where id = 1');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await countOf(1)).toBe(10);
  });

  it('runs again when the database found that two could not be serialized, and loses neither', async () => {
    await query('update counter set n = 0 where id = 2');
    let attempts = 0;
    const all = Promise.withResolvers<void>();
    const increment = () =>
      transaction(orm.em, async (em) => {
        attempts += 1;
        await em.execute('set transaction isolation level serializable');
        const [row] = await em.execute<{ n: number }[]>('select n from counter where id = 2');
        // None writes before each has read.
        if (attempts === 3) all.resolve();
        await all.promise;
        await em.execute('update counter set n = ? where id = 2', [(row?.n ?? 0) + 1]);
      });
    await Promise.all([increment(), increment(), increment()]);
    expect(await countOf(2)).toBe(3);
    expect(attempts).toBeGreaterThan(3);
  });

  it('runs again after a deadlock', async () => {
    await query('update counter set n = 0');
    let [attempts, held] = [0, 0];
    const holding = Promise.withResolvers<void>();
    const both = (first: number, second: number) =>
      transaction(orm.em, async (em) => {
        attempts += 1;
        await em.execute('update counter set n = n + 1 where id = ?', [first]);
        // Each has one row before it asks for the other's.
        held += 1;
        if (held === 2) holding.resolve();
        await holding.promise;
        await em.execute('update counter set n = n + 1 where id = ?', [second]);
      });
    await Promise.all([both(1, 2), both(2, 1)]);
    expect([await countOf(1), await countOf(2)]).toEqual([2, 2]);
    expect(attempts).toBe(3);
  });

  it('gives up when the database refuses again and again', async () => {
    let attempts = 0;
    const never = transaction(orm.em, async (em) => {
      attempts += 1;
      await em.execute(`do $$ begin raise exception 'always' using errcode = '40001'; end $$`);
    });
    await expect(never).rejects.toThrow('always');
    expect(attempts).toBe(5);
  });

  it('tries only once where trying again cannot help, and names the constraint', async () => {
    let attempts = 0;
    const thrown = await transaction(orm.em, async (em) => {
      attempts += 1;
      await em.execute('update counter set n = -1 where id = 1');
    }).catch((error: unknown) => error);
    expect(attempts).toBe(1);
    expect(isDatabaseError(thrown, '23514')).toBe(true);
    expect(isDatabaseError(thrown, '23514', 'counter_n_check')).toBe(true);
    expect(isDatabaseError(thrown, '23514', 'another')).toBe(false);
    expect(isDatabaseError(thrown, '23505')).toBe(false);
    expect(isDatabaseError('23514', '23514')).toBe(false);
  });

  it('fails when its connection is cut, and costs neither the process nor a place in the pool', async () => {
    const cut = () =>
      transaction(orm.em, async (em) => {
        const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
        await query(`select pg_terminate_backend(${row?.pid})`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await em.execute('update counter set n = 77 where id = 1');
      });
    // More often than the pool has connections.
    for (let round = 0; round < 3; round += 1)
      for (const result of await Promise.allSettled(Array.from({ length: 6 }, cut)))
        expect(result.status).toBe('rejected');
    expect(await countOf(1)).not.toBe(77);
    await expect(ping(orm)).resolves.toBeUndefined();
  });

  it('leaves the pool whole when a single statement loses its connection', async () => {
    const lose = () => orm.em.fork().execute('select pg_terminate_backend(pg_backend_pid())');
    for (let round = 0; round < 12; round += 1) await expect(lose()).rejects.toThrow(/terminat/);
    await expect(ping(orm)).resolves.toBeUndefined();
  });

  it('leaves the pool whole when its connections go dead without a word, in a transaction or out of one', async () => {
    await using line = await Line.to(url);
    const options = { entities: [CounterSchema], migrations: [First], poolSize: 2, answerWithinMs: 500 };
    const far = await openDatabase({ name: 'far', url: line.url, ...options });
    const read = () => far.em.fork().execute('select n from counter where id = 1');
    const inTransaction = () => transaction(far.em, (em) => em.execute('select n from counter where id = 1'));
    for (const [ask, again] of [
      [read, inTransaction],
      [inTransaction, read],
    ] as const) {
      await Promise.all([ask(), ask()]);
      line.goDead();
      for (const { status } of await Promise.allSettled([ask(), ask()])) expect(status).toBe('rejected');
      const began = performance.now();
      await expect(Promise.all([again(), ask(), again()])).resolves.toHaveLength(3);
      expect(performance.now() - began).toBeLessThan(500);
    }
    line.goDead();
    await far.close();
  });
});

describe('migrate', () => {
  it('creates the database, and is safe from several at once and again', async () => {
    const fresh = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    fresh.pathname = `/migrated_${Date.now()}`;
    const orms = await Promise.all([1, 2, 3, 4].map(() => open(fresh.href)));
    await Promise.all(orms.map((each) => migrate(each, fresh.href)));
    const [first] = orms;
    if (first) await migrate(first, fresh.href);
    expect(await query('select name from migration', fresh.href)).toHaveLength(1);
    expect(await query('select id from counter', fresh.href)).toHaveLength(2);
    await Promise.all(orms.map((each) => each.close()));
    const newer = await open(fresh.href, [First, Second]);
    await migrate(newer, fresh.href);
    expect(await query('select note from counter', fresh.href)).toHaveLength(2);
    // Who finds nothing to do waits for nobody who migrates.
    const other = new pg.Client({ connectionString: fresh.href });
    await other.connect();
    await other.query('select pg_advisory_lock(71026001)');
    await migrate(newer, fresh.href);
    await other.end();
    await newer.close();
  });

  it('does not hide that the server cannot be reached or refuses the password', async () => {
    await expect(createMissingDatabase('postgres://x:y@127.0.0.1:1/x')).rejects.toThrow('ECONNREFUSED');
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(createMissingDatabase(wrong.href)).rejects.toMatchObject({ code: '28P01' });
    await expect(createMissingDatabase(url)).resolves.toBeUndefined();
  });

  it('shows each statement to who counts them', async () => {
    const seen: string[] = [];
    const counting = await open(url, [First], (sql) => seen.push(sql));
    await counting.em.fork().execute('select 42');
    expect(seen.some((sql) => sql.includes('select 42'))).toBe(true);
    await counting.close();
  });
});

describe('once', () => {
  let effects = 0;
  const pay = (key: string, amount: string, scope = 'trv_1:pay', slow = 0) =>
    transaction(orm.em, (em) =>
      once(em, { scope, key, content: { amount, note: null } }, async () => {
        effects += 1;
        if (slow > 0) await new Promise((resolve) => setTimeout(resolve, slow));
        return { paymentId: `pay-${effects}` };
      }),
    );

  it('gives a replay the first result and runs nothing', async () => {
    effects = 0;
    const first = await pay('key-0001', '1.00');
    expect(first).toEqual({ result: { paymentId: 'pay-1' }, replayed: false });
    expect(await pay('key-0001', '1.00')).toEqual({ result: { paymentId: 'pay-1' }, replayed: true });
    expect(effects).toBe(1);
  });

  it('refuses the same key with other content', async () => {
    await pay('key-0002', '1.00');
    await expect(pay('key-0002', '1.01')).rejects.toThrow(IdempotencyKeyReused);
    await expect(pay('key-0002', '1.01')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('does not care in which order the content was written', async () => {
    const ask = (content: Record<string, string>) =>
      transaction(orm.em, (em) => once(em, { scope: 's', key: 'key-order', content }, async () => ({ id: '1' })));
    await ask({ a: '1', b: '2' });
    expect((await ask({ b: '2', a: '1' })).replayed).toBe(true);
    await expect(ask({ a: '1b', b: '2' })).rejects.toThrow(IdempotencyKeyReused);
  });

  it('keeps the keys of different askers apart', async () => {
    effects = 0;
    await pay('key-0003', '1.00', 'trv_1:pay');
    await pay('key-0003', '2.00', 'trv_2:pay');
    expect(effects).toBe(2);
  });

  it('runs once for two that come at the same time: one waits for the other', async () => {
    effects = 0;
    const [one, two] = await Promise.all([pay('key-0004', '1.00', 's', 50), pay('key-0004', '1.00', 's', 50)]);
    expect(effects).toBe(1);
    expect(one?.result).toEqual(two?.result);
    expect([one?.replayed, two?.replayed].sort()).toEqual([false, true]);
  });

  it('forgets the key when the effect failed', async () => {
    const failing = transaction(orm.em, (em) =>
      once(em, { scope: 's', key: 'key-0005', content: {} }, async () => {
        throw new Error('declined');
      }),
    );
    await expect(failing).rejects.toThrow('declined');
    expect((await pay('key-0005', '1.00', 's')).replayed).toBe(false);
  });

  it('finds the first result before any transaction, and refuses other content there too', async () => {
    const request = { scope: 's', key: 'key-0006', content: { amount: '1.00', note: null } };
    const em = orm.em.fork();
    expect(await findReplay(em, request)).toBeNull();
    const { result } = await pay(request.key, '1.00', request.scope);
    expect(await findReplay(em, request)).toEqual(result);
    await expect(findReplay(em, { ...request, content: { amount: '2.00' } })).rejects.toThrow(IdempotencyKeyReused);
  });

  it('takes a key for a result that is known before, in one statement with it, as `once` keeps it afterwards', async () => {
    const request = { scope: 's', key: 'key-0007', content: { amount: '1.00', note: null } };
    const claim = async (id: string, content: IdempotentRequest['content'] = request.content) => {
      // The first one keeps the others waiting: all of them come before its commit.
      const slowly = { text: 'select pg_sleep(0.1)', values: [], name: 'slowly' };
      const pieces = [keyClaim({ ...request, content }, { paymentId: id }), slowly];
      return commitTogether(orm.em.fork(), pieces, `select from ${KEY_CLAIMED}, slowly`);
    };
    const taken = await Promise.all([claim('pay-a'), claim('pay-b')]);
    expect(taken.map((rows) => rows.length).toSorted()).toEqual([0, 1]);
    const winner = { paymentId: taken[0]?.length === 1 ? 'pay-a' : 'pay-b' };
    expect(await findReplay(orm.em.fork(), request)).toEqual(winner);
    expect(await pay(request.key, '1.00', request.scope)).toEqual({ result: winner, replayed: true });
    expect(await claim('pay-c', { amount: '2.00', note: null })).toEqual([]);
    await expect(findReplay(orm.em.fork(), { ...request, content: { amount: '2.00' } })).rejects.toThrow(
      IdempotencyKeyReused,
    );
  });

  it('leaves the key free when the statement that took it for a result fails', async () => {
    const request = { scope: 's', key: 'key-0008', content: {} };
    const claim = keyClaim(request, { paymentId: 'pay-a' });
    const failing = { text: `select 1 / (select 0 from ${KEY_CLAIMED}) as value`, values: [], name: 'failing' };
    await expect(commitTogether(orm.em.fork(), [claim, failing], 'select value from failing')).rejects.toThrow(
      'division by zero',
    );
    expect(await findReplay(orm.em.fork(), request)).toBeNull();
    expect(await commitTogether(orm.em.fork(), [claim], `select from ${KEY_CLAIMED}`)).toHaveLength(1);
  });

  it('takes no key where the piece that it depends on finds nothing', async () => {
    const request = { scope: 's', key: 'key-0009', content: {} };
    const nothing = { text: 'select where false', values: [], name: 'nothing' };
    const claim = keyClaim(request, { paymentId: 'pay-a' }, 'nothing');
    expect(await commitTogether(orm.em.fork(), [nothing, claim], `select from ${KEY_CLAIMED}`)).toEqual([]);
    expect(await findReplay(orm.em.fork(), request)).toBeNull();
  });

  it.each(['', 'short', 'with space', 'x'.repeat(129), 'schlüssel', 'key\n00001'])(
    'refuses the key %j',
    async (key) => {
      await expect(pay(key, '1.00')).rejects.toMatchObject({ code: 'INVALID_IDEMPOTENCY_KEY' });
    },
  );
});
