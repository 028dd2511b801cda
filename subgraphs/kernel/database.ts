import { setTimeout as delay } from 'node:timers/promises';
import type { Constructor, EntityName } from '@mikro-orm/core';
import { type Migration, Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { sleep } from './clock.js';
import type { Logger } from './telemetry.js';

export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`. */
  readonly name: string;
  readonly url: string;
  readonly entities: readonly EntityName[];
  readonly migrations: readonly Constructor<Migration>[];
  /** Most connections at once. */
  readonly poolSize?: number;
  /** Sees each SQL statement that the ORM sends: for tests that count them. */
  readonly onStatement?: (sql: string) => void;
}

/** Opens the ORM; no connection is made yet. */
export async function openDatabase(options: DatabaseOptions): Promise<MikroORM> {
  const { onStatement } = options;
  return MikroORM.init({
    entities: [...options.entities],
    clientUrl: options.url,
    extensions: [Migrator],
    pool: { min: 0, max: options.poolSize ?? 20 },
    forceUtcTimezone: true,
    driverOptions: {
      application_name: options.name,
      statement_timeout: 10_000,
      // Where the server does not even answer: a line that went dead must not hold a caller for minutes.
      query_timeout: 15_000,
      connectionTimeoutMillis: 5_000,
      idle_in_transaction_session_timeout: 15_000,
      keepAlive: true,
      onPoolCreated: releaseLostConnections,
    },
    migrations: {
      migrationsList: [...options.migrations],
      snapshot: false,
      silent: true,
      tableName: 'migration',
    },
    ...(onStatement && { debug: ['query'], logger: onStatement, colors: false }),
  });
}

/**
 * Gives the pool back what a transaction held whose connection broke. The ORM does so only after a rollback that
 * succeeded: each break would cost a place in the pool, and the process would hang when the last one is gone.
 */
function releaseLostConnections(pool: pg.Pool): void {
  const inUse = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  pool.on('connect', (client) => {
    client.on('end', () => {
      if (!inUse.has(client)) return;
      const { release } = client;
      // Its holder may still release it: once is enough.
      client.release = () => undefined;
      release(true);
    });
  });
}

// Any constant serves: each database has its own locks.
const MIGRATION_LOCK = 71_026_001;

/** Creates the database where it is missing and brings its tables up to date. Safe from several processes at once. */
export async function migrate(orm: MikroORM, url: string): Promise<void> {
  await createMissingDatabase(url);
  const guard = new pg.Client({ connectionString: url });
  await guard.connect();
  try {
    // Held by the session, so that a killed process gives it back.
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await orm.migrator.up();
  } finally {
    await guard.end();
  }
}

/** Creates the database where it is missing. Safe from several processes at once. */
export async function createMissingDatabase(url: string): Promise<void> {
  const target = new URL(url);
  const database = decodeURIComponent(target.pathname.slice(1));
  const probe = new pg.Client({ connectionString: url });
  try {
    await probe.connect();
    return;
  } catch (thrown) {
    if (!isDatabaseError(thrown, '3D000')) throw thrown;
  } finally {
    await probe.end().catch(() => undefined);
  }
  target.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: target.href });
  await admin.connect();
  try {
    await admin.query(`create database ${pg.escapeIdentifier(database)}`);
  } catch (thrown) {
    // Another process was faster.
    if (!isDatabaseError(thrown, '42P04') && !isDatabaseError(thrown, '23505')) throw thrown;
  } finally {
    await admin.end();
  }
}

const ATTEMPTS = 5;

/**
 * Runs one use case in one database transaction, on an entity manager of its own, and again (with jitter) when the
 * database asks for it: serialization failure or deadlock. `work` must have no effect outside the database.
 */
export async function transaction<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await em.fork({ clear: true }).transactional(work);
    } catch (thrown) {
      const mayRetry = isDatabaseError(thrown, '40001') || isDatabaseError(thrown, '40P01');
      if (!mayRetry || attempt === ATTEMPTS) throw thrown;
      await delay(Math.random() * 20 * 2 ** attempt);
    }
  }
}

/** Whether PostgreSQL (also wrapped by the ORM) reported this SQLSTATE, and for this constraint where one is named. */
export function isDatabaseError(thrown: unknown, sqlState: string, constraint?: string): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, constraint: violated, cause } = thrown as { code?: unknown; constraint?: unknown; cause?: unknown };
  if (code === sqlState && (constraint === undefined || violated === constraint)) return true;
  return cause !== undefined && isDatabaseError(cause, sqlState, constraint);
}

/** Whether anything answers there. @throws whatever the driver says */
export async function ping(orm: MikroORM): Promise<void> {
  await orm.em.fork().execute('select 1');
}

/** A connection of its own that reconnects after a loss: for LISTEN and for session locks. */
export class SessionConnection {
  private client: pg.Client | null = null;
  private connecting: Promise<pg.Client> | null = null;
  private readonly stopping = new AbortController();

  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly logger: Logger,
    /** Called on each new connection, before it is used. */
    private readonly onConnected: (client: pg.Client) => Promise<void> = async () => undefined,
  ) {}

  /** The live connection, or a new one. Retries until `stop`, then throws. */
  async get(): Promise<pg.Client> {
    if (this.client) return this.client;
    // Those who ask meanwhile share one attempt: of several connections all but the last would be left open.
    this.connecting ??= this.connect().finally(() => {
      this.connecting = null;
    });
    return this.connecting;
  }

  /** Gives up connecting, waits for `work` that still uses the connection, then closes it. */
  async stop(work?: Promise<unknown> | null): Promise<void> {
    this.stopping.abort();
    await work;
    await this.connecting?.catch(() => undefined);
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<pg.Client> {
    const { signal } = this.stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const client = new pg.Client({
        connectionString: this.url,
        application_name: this.name,
        keepAlive: true,
        connectionTimeoutMillis: 5_000,
      });
      client.on('error', (error) => this.lost(client, error));
      client.on('end', () => this.lost(client));
      try {
        await client.connect();
        await this.onConnected(client);
        this.client = client;
        return client;
      } catch (thrown) {
        await client.end().catch(() => undefined);
        this.logger.warn({ err: thrown }, 'cannot connect to the database, trying again');
        await sleep(Math.min(100 * 2 ** attempt, 3_000), signal);
      }
    }
    throw new Error('stopped');
  }

  private lost(client: pg.Client, error?: Error): void {
    if (this.client !== client) return;
    this.client = null;
    if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'lost the connection to the database');
  }
}
