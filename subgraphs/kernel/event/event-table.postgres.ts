import type pg from 'pg';
import { type EventPayload, RETENTION_MS } from './event-bus.js';

/** Whoever publishes holds it until its commit is visible. */
export const PUBLISH_LOCK = 71_026_002;
const TABLES_LOCK = 71_026_004;
export const CHANNEL = 'sojourn_bus';
/** How many events are read or dropped at once. */
export const BATCH = 500;

// What is made last. Even `create index if not exists` waits for whoever is publishing, and has the next ones wait:
// tables that are there are only looked at.
const MISSING = "select to_regclass('bus_consumer') is null as missing";

// `if not exists` alone fails when two processes create a table at once. One query is one transaction.
const TABLES = `
  select pg_advisory_xact_lock(${TABLES_LOCK});
  create table if not exists bus_event (
    position bigint generated always as identity primary key,
    id text not null,
    subject text not null,
    payload jsonb not null,
    published_at timestamptz not null default now(),
    unique (id, subject)
  );
  create index if not exists bus_event_by_subject on bus_event (subject text_pattern_ops, position);
  create table if not exists bus_consumer (name text primary key, position bigint not null);
`;

export interface EventRow {
  readonly position: string;
  readonly id: string;
  readonly subject: string;
  readonly payload: EventPayload;
  readonly publishedAt: number;
}

/** What is selected for an `EventRow`, from `bus_event event`. A `float8` comes as a number. */
export const EVENT_COLUMNS =
  'event.position, id, subject, payload, (extract(epoch from published_at) * 1000)::float8 as "publishedAt"';

/** Creates the tables of the bus where they are missing. Safe from several processes at once. */
export async function createMissingTables(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ missing: boolean }>(MISSING);
  if (rows[0]?.missing) await pool.query(TABLES);
}

/** Drops events that are older than `retentionMs`, a few at a time, so that publishers hardly wait. */
export async function pruneEvents(
  pool: pg.Pool,
  goesOn: () => boolean,
  retentionMs: number = RETENTION_MS,
): Promise<void> {
  for (let dropped = BATCH; dropped === BATCH && goesOn(); ) {
    // Positions grow with time: only the front is looked at, never the whole table.
    const { rowCount } = await pool.query(
      `delete from bus_event where position in (
         select position from (select position, published_at from bus_event order by position limit ${BATCH}) front
          where published_at < now() - $1 * interval '1 millisecond')`,
      [retentionMs],
    );
    dropped = rowCount ?? 0;
  }
}
