import { setImmediate as turn } from 'node:timers/promises';
import type { Constructor, EntityName } from '@mikro-orm/core';
import { type Migration, Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { MINUTE } from './clock.js';
import { onUnanswered } from './database.answer.js';
import { isDatabaseError, retried } from './database.retry.js';

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  readonly url: string;
  readonly entities: readonly EntityName[];
  readonly migrations: readonly Constructor<Migration>[];
  /** Most connections at once. */
  readonly poolSize?: number;
  /** How long one statement may take, in ms: 10 seconds, as long as anybody waits for an answer. */
  readonly statementWithinMs?: number;
  /** How long the server may say nothing before its connection is given up, in ms (15 seconds). */
  readonly answerWithinMs?: number;
  /** Some statements read tables whole: the planner may choose to. Others find their rows by keys, whatever it thinks. */
  readonly readsWhole?: boolean;
  /** Sees each SQL statement that the ORM sends: for tests that count them. */
  readonly onStatement?: (sql: string) => void;
}

// A new connection costs both sides as much as a payment does: a pause between two bursts must not take them away.
const IDLE_MS = MINUTE;
/** The table of those that were run. */
const MIGRATIONS = 'migration';

/** Opens the ORM; no connection is made yet. */
export async function openDatabase(options: DatabaseOptions): Promise<MikroORM> {
  const { onStatement } = options;
  const orm = await MikroORM.init({
    entities: [...options.entities],
    clientUrl: options.url,
    extensions: [Migrator],
    pool: { min: 0, max: options.poolSize ?? 20, idleTimeoutMillis: IDLE_MS },
    // Whoever migrates makes it, once for all connections.
    ensureDatabase: false,
    forceUtcTimezone: true,
    driverOptions: {
      application_name: options.name,
      statement_timeout: options.statementWithinMs ?? 10_000,
      // Where the server does not even answer: a line that went dead must not hold a caller for minutes.
      query_timeout: options.answerWithinMs ?? 15_000,
      // Also the wait for a free connection: in a burst the last one waits for all before it.
      connectionTimeoutMillis: 10_000,
      idle_in_transaction_session_timeout: 15_000,
      options: settingsOf(options),
      keepAlive: true,
      onPoolCreated: releaseLostConnections,
    },
    migrations: {
      migrationsList: [...options.migrations],
      snapshot: false,
      silent: true,
      tableName: MIGRATIONS,
    },
    ...(onStatement && { debug: ['query'], logger: onStatement, colors: false }),
  });
  // It took its time: what waits has its turn.
  await turn();
  return orm;
}

/**
 * What is prepared (`database.commit.ts`) finds its rows by their keys, whatever the values: one plan is enough. It is
 * made when the statement first comes, often on a table that is nearly empty and best read whole, and stays while the
 * table grows, until it is analyzed: so it must go along the keys from the beginning. Where there is none, PostgreSQL
 * before 18 calls reading a table expensive enough to compile code for it.
 */
function settingsOf({ readsWhole }: DatabaseOptions): string {
  const byKeys = readsWhole ? [] : ['enable_seqscan=off', 'jit=off'];
  return ['plan_cache_mode=force_generic_plan', ...byKeys].map((setting) => `-c ${setting}`).join(' ');
}

/**
 * Gives the pool back what a transaction held whose connection broke or does not answer. The ORM does so only after a
 * rollback that succeeded: each break would cost a place in the pool, and the process would hang when the last one is
 * gone. Of a single statement it gives back also a connection that still owes an answer: the next one would wait for it.
 */
function releaseLostConnections(pool: pg.Pool): void {
  const inUse = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  pool.on('connect', (client) => {
    const giveUp = () => {
      if (!inUse.has(client)) return;
      const { release } = client;
      // Its holder may still release it: once is enough.
      client.release = () => undefined;
      release(true);
    };
    client.on('end', giveUp);
    onUnanswered(client, giveUp);
  });
}

// Any constant serves: each database has its own locks.
const MIGRATION_LOCK = 71_026_001;

/** Creates the database where it is missing and brings its tables up to date. Safe from several processes at once. */
export async function migrate(orm: MikroORM, url: string): Promise<void> {
  // Without the lock: what is written down as done was committed, and is never undone. Most starts end here.
  if (await isUpToDate(orm)) return;
  const guard = await connectCreating(url);
  try {
    // Held by the session, so that a killed process gives it back.
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await orm.migrator.up();
  } finally {
    await guard.end();
  }
}

/** Whether all of its migrations are written down as done. */
async function isUpToDate(orm: MikroORM): Promise<boolean> {
  const { migrationsList = [] } = orm.config.get('migrations');
  try {
    const done = await orm.em.fork().execute<{ name: string }[]>(`select name from ${MIGRATIONS}`);
    const names = new Set(done.map(({ name }) => name));
    return migrationsList.every((migration) => names.has(migration.name));
  } catch (thrown) {
    // No database yet, or no table.
    if (isDatabaseError(thrown, '3D000') || isDatabaseError(thrown, '42P01')) return false;
    throw thrown;
  }
}

/** Creates the database where it is missing. Safe from several processes at once. */
export async function createMissingDatabase(url: string): Promise<void> {
  const client = await connectCreating(url);
  await client.end();
}

async function connectCreating(url: string): Promise<pg.Client> {
  try {
    return await connect(url);
  } catch (thrown) {
    if (!isDatabaseError(thrown, '3D000')) throw thrown;
  }
  await createDatabase(url);
  return connect(url);
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return client;
  } catch (thrown) {
    await client.end().catch(() => undefined);
    throw thrown;
  }
}

async function createDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const database = decodeURIComponent(target.pathname.slice(1));
  target.pathname = '/postgres';
  const admin = await connect(target.href);
  try {
    await admin.query(`create database ${pg.escapeIdentifier(database)}`);
  } catch (thrown) {
    // Another process was faster.
    if (!isDatabaseError(thrown, '42P04') && !isDatabaseError(thrown, '23505')) throw thrown;
  } finally {
    await admin.end();
  }
}

/**
 * Runs one use case in one database transaction, on an entity manager of its own, and again (with jitter) when the
 * database asks for it. `work` must have no effect outside the database.
 */
export async function transaction<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  return retried(() => em.fork({ clear: true }).transactional(work));
}

/** Whether anything answers there. @throws whatever the driver says */
export async function ping(orm: MikroORM): Promise<void> {
  await orm.em.fork().execute('select 1');
}
