import pg from 'pg';
import { HOUR } from '../clock.js';
import { createMissingDatabase } from '../database.js';
import { SessionConnection } from '../database.session.js';
import type { Logger } from '../telemetry.js';
import {
  type BusEvent,
  type Consumption,
  type EventBus,
  type EventPayload,
  type EventStream,
  invalidCursor,
  type OutgoingEvent,
  positionOf,
  RETENTION_MS,
  requireSubject,
  type StartAt,
} from './event-bus.js';
import { PostgresConsumption } from './event-consumption.postgres.js';
import { QueuedEventStream } from './event-stream.js';

const CHANNEL = 'sojourn_bus';
const PUBLISH_LOCK = 71_026_002;
const BATCH = 500;
const POLL_MS = 1_000;

// `if not exists` alone fails when two processes create a table at once. One query is one transaction.
const TABLES = `
  select pg_advisory_xact_lock(${PUBLISH_LOCK});
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
}

/**
 * The bus of one machine: a table read by position, with NOTIFY only as a hint, once per published batch. Publishers
 * take turns by a lock, so that a position never becomes visible after a later one.
 */
export class PostgresEventBus implements EventBus {
  private readonly pool: pg.Pool;
  private readonly listener: SessionConnection;
  private readonly live = new Map<string, Set<QueuedEventStream>>();
  private readonly consumptions = new Set<PostgresConsumption>();
  /** Up to where the live streams were fed. */
  private position = 0n;
  private reading: Promise<void> | null = null;
  private readAgain = false;
  private closed = false;
  private readonly timers: NodeJS.Timeout[];

  private constructor(
    url: string,
    private readonly logger: Logger,
  ) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: 6,
      application_name: 'bus',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      // A publisher that hangs must not keep the others from publishing.
      statement_timeout: 10_000,
      // Nor must a line that went dead: one read that never ends would be the last one, for all live streams.
      query_timeout: 12_000,
      idle_in_transaction_session_timeout: 15_000,
    });
    this.pool.on('error', (error) => logger.warn({ err: error }, 'an idle connection to the bus was lost'));
    // A connection that breaks in a transaction says so to the transaction; unheard, it would end the process.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
    this.listener = new SessionConnection(url, 'bus-listener', logger, async (client) => {
      client.on('notification', () => this.wake());
      await client.query(`listen ${CHANNEL}`);
    });
    this.timers = [
      // A hint may be lost with its connection: look anyway.
      setInterval(() => {
        void this.listener.get().catch(() => undefined);
        this.wake();
      }, POLL_MS),
      setInterval(() => void this.prune().catch((thrown: unknown) => this.warn(thrown, 'could not prune')), HOUR),
    ];
    for (const timer of this.timers) timer.unref();
  }

  /** Creates the database and its tables where they are missing. */
  static async open(url: string, logger: Logger): Promise<PostgresEventBus> {
    await createMissingDatabase(url);
    const bus = new PostgresEventBus(url, logger);
    try {
      await bus.pool.query(TABLES);
      await bus.listener.get();
      return bus;
    } catch (thrown) {
      await bus.close();
      throw thrown;
    }
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const rows = events.flatMap(({ id, subjects, payload }) =>
      subjects.map((subject) => ({ id, subject, payload: JSON.stringify(payload) })),
    );
    if (rows.length === 0) return;
    for (const { subject } of rows) requireSubject(subject);
    const conflated = events.flatMap((event) => (event.latestOnly ? event.subjects : []));
    await this.inTransaction(async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [PUBLISH_LOCK]);
      await client.query(
        `insert into bus_event (id, subject, payload)
           select id, subject, payload::jsonb from unnest($1::text[], $2::text[], $3::text[])
             with ordinality as event (id, subject, payload, nth) order by nth
         on conflict (id, subject) do nothing`,
        [rows.map((row) => row.id), rows.map((row) => row.subject), rows.map((row) => row.payload)],
      );
      if (conflated.length > 0) await dropOlder(client, conflated);
      await client.query(`notify ${CHANNEL}`);
    });
    this.wake();
  }

  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    requireSubject(subject);
    const { newest, given, newestOfSubject } = await this.positions(subject);
    const after = beginning(start, newest, newestOfSubject);
    if (after > given) throw invalidCursor();
    // Attached before the past is read: nothing can fall between the two.
    const past = start === 'LIVE' ? null : this.past(subject, after);
    const stream = new QueuedEventStream(past, (ended) => this.detach(subject, ended), after);
    if (this.live.size === 0) this.position = newest;
    this.attach(subject, stream);
    return stream;
  }

  async consume(name: string, prefix: string, react: (event: BusEvent) => Promise<void>): Promise<Consumption> {
    requireSubject(prefix);
    const consumption = new PostgresConsumption(this.pool, this.logger, name, prefix, react, (stopped) =>
      this.consumptions.delete(stopped),
    );
    this.consumptions.add(consumption);
    return consumption;
  }

  async ready(): Promise<void> {
    await this.pool.query('select 1');
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const streams of this.live.values()) for (const stream of [...streams]) stream.end();
    await Promise.all([...this.consumptions].map((consumption) => consumption.stop()));
    await this.listener.stop();
    await this.reading;
    await this.pool.end();
  }

  /** Drops events that are older than the bus keeps, a few at a time, so that publishers hardly wait. */
  async prune(retentionMs: number = RETENTION_MS): Promise<void> {
    for (let dropped = BATCH; dropped === BATCH && !this.closed; ) {
      // Positions grow with time: only the front is looked at, never the whole table.
      const { rowCount } = await this.pool.query(
        `delete from bus_event where position in (
           select position from (select position, published_at from bus_event order by position limit ${BATCH}) front
            where published_at < now() - $1 * interval '1 millisecond')`,
        [retentionMs],
      );
      dropped = rowCount ?? 0;
    }
  }

  private async positions(subject: string): Promise<{ newest: bigint; given: bigint; newestOfSubject: bigint | null }> {
    const { rows } = await this.pool.query<{ newest: string; given: string; of_subject: string | null }>(
      `select coalesce(max(position), 0) as newest,
              coalesce(pg_sequence_last_value(pg_get_serial_sequence('bus_event', 'position')), 0) as given,
              (select max(position) from bus_event where subject = $1) as of_subject
         from bus_event`,
      [subject],
    );
    const [row] = rows;
    return {
      newest: BigInt(row?.newest ?? 0),
      // More than the newest where events were dropped.
      given: BigInt(row?.given ?? 0),
      newestOfSubject: row?.of_subject == null ? null : BigInt(row.of_subject),
    };
  }

  private attach(subject: string, stream: QueuedEventStream): void {
    const streams = this.live.get(subject) ?? new Set();
    streams.add(stream);
    this.live.set(subject, streams);
  }

  private detach(subject: string, stream: QueuedEventStream): void {
    const streams = this.live.get(subject);
    streams?.delete(stream);
    if (streams?.size === 0) this.live.delete(subject);
  }

  private async *past(subject: string, after: bigint): AsyncGenerator<BusEvent> {
    for (let last = after; ; ) {
      const { rows } = await this.pool.query<EventRow>(
        `select position, id, subject, payload from bus_event
          where subject = $1 and position > $2 order by position limit ${BATCH}`,
        [subject, last],
      );
      yield* rows;
      const newest = rows.at(-1);
      if (!newest || rows.length < BATCH) return;
      last = BigInt(newest.position);
    }
  }

  /** Reads what is new, for all live streams at once. One read at a time; a hint during a read causes another one. */
  private wake(): void {
    for (const consumption of this.consumptions) consumption.wake();
    // A process that only publishes need not read what it wrote.
    if (this.closed || this.live.size === 0) return;
    if (this.reading) {
      this.readAgain = true;
      return;
    }
    this.reading = this.readNew()
      .catch((thrown: unknown) => this.warn(thrown, 'could not read the bus'))
      .finally(() => {
        this.reading = null;
        if (this.readAgain) {
          this.readAgain = false;
          this.wake();
        }
      });
  }

  private async readNew(): Promise<void> {
    for (;;) {
      const { rows } = await this.pool.query<EventRow>(
        `select position, id, subject, payload from bus_event where position > $1 order by position limit ${BATCH}`,
        [this.position],
      );
      for (const row of rows) {
        this.position = BigInt(row.position);
        for (const stream of this.live.get(row.subject) ?? []) stream.push(row);
      }
      if (rows.length < BATCH) return;
    }
  }

  private async inTransaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('begin');
      await work(client);
      await client.query('commit');
      client.release();
    } catch (thrown) {
      // The connection's state is unknown: do not give it back.
      client.release(true);
      throw thrown;
    }
  }

  private warn(thrown: unknown, message: string): void {
    if (!this.closed) this.logger.warn({ err: thrown }, message);
  }
}

async function dropOlder(client: pg.PoolClient, subjects: readonly string[]): Promise<void> {
  await client.query(
    `delete from bus_event old where subject = any($1)
        and position < (select max(position) from bus_event newer where newer.subject = old.subject)`,
    [subjects],
  );
}

/** The position after which a stream begins. Fixed when it is attached, not when it is first read. */
function beginning(start: StartAt, newest: bigint, newestOfSubject: bigint | null): bigint {
  if (start === 'BEGINNING') return 0n;
  if (start === 'LIVE') return newest;
  if (start === 'LATEST') return newestOfSubject === null ? newest : newestOfSubject - 1n;
  return positionOf(start.after);
}
