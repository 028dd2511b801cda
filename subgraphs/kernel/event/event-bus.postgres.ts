import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isDatabaseError, SessionConnection } from '../database.js';
import { InvalidError } from '../error.js';
import type { Logger } from '../telemetry.js';
import type { BusEvent, Consumption, EventBus, EventStream, OutgoingEvent, StartAt } from './event-bus.js';
import { QueuedEventStream } from './event-stream.js';

const CHANNEL = 'sojourn_bus';
const PUBLISH_LOCK = 71_026_002;
const BATCH = 500;
const POLL_MS = 1_000;

const TABLES = `
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

interface Row {
  position: string;
  id: string;
  subject: string;
  payload: Record<string, unknown>;
}

/**
 * The bus of one machine: a table read by position, with NOTIFY only as a hint, once per published batch. Publishers
 * take turns by a lock, so that a position never becomes visible after a later one.
 */
export class PostgresEventBus implements EventBus {
  private readonly pool: pg.Pool;
  private readonly listener: SessionConnection;
  private readonly live = new Map<string, Set<QueuedEventStream>>();
  private readonly wakers = new Set<() => void>();
  private position = 0n;
  private reading: Promise<void> | null = null;
  private readAgain = false;
  private readonly poll: NodeJS.Timeout;

  private constructor(
    url: string,
    private readonly logger: Logger,
  ) {
    this.pool = new pg.Pool({ connectionString: url, max: 6, application_name: 'bus', keepAlive: true });
    this.pool.on('error', (error) => logger.warn({ err: error }, 'an idle connection to the bus was lost'));
    this.listener = new SessionConnection(url, 'bus-listener', logger, async (client) => {
      client.on('notification', () => this.wake());
      await client.query(`listen ${CHANNEL}`);
    });
    // A hint may be lost with its connection: look anyway.
    this.poll = setInterval(() => {
      void this.listener.get().catch(() => undefined);
      this.wake();
    }, POLL_MS);
    this.poll.unref();
  }

  /** Creates the tables where they are missing. */
  static async open(url: string, logger: Logger): Promise<PostgresEventBus> {
    const bus = new PostgresEventBus(url, logger);
    try {
      await bus.createTables();
      const { rows } = await bus.pool.query<{ position: string }>(
        'select coalesce(max(position), 0) as position from bus_event',
      );
      bus.position = BigInt(rows[0]?.position ?? 0);
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
    await this.inTransaction(async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [PUBLISH_LOCK]);
      await client.query(
        `insert into bus_event (id, subject, payload)
           select id, subject, payload::jsonb from unnest($1::text[], $2::text[], $3::text[])
             with ordinality as event (id, subject, payload, nth) order by nth
         on conflict (id, subject) do nothing`,
        [rows.map((row) => row.id), rows.map((row) => row.subject), rows.map((row) => row.payload)],
      );
      await client.query(`notify ${CHANNEL}`);
    });
    this.wake();
  }

  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    const after = typeof start === 'object' ? positionOf(start.after) : 0n;
    const past = start === 'LIVE' ? null : this.past(subject, start, after);
    // Attached before the past is read: nothing can fall between the two.
    const stream = new QueuedEventStream(past, (ended) => this.detach(subject, ended));
    this.attach(subject, stream);
    return stream;
  }

  async consume(name: string, prefix: string, react: (event: BusEvent) => Promise<void>): Promise<Consumption> {
    let stopped = false;
    const hint = { wake: () => undefined as void };
    const waker = () => hint.wake();
    this.wakers.add(waker);
    const loop = (async () => {
      while (!stopped) {
        const woken = new Promise<void>((resolve) => {
          hint.wake = resolve;
        });
        const moved = await this.consumeBatch(name, prefix, react, () => stopped).catch((thrown: unknown) => {
          if (!stopped) this.logger.error({ err: thrown, consumer: name }, 'could not react to an event, trying again');
          return false;
        });
        if (!moved && !stopped) await Promise.race([woken, delay(POLL_MS)]);
      }
    })();
    return {
      stop: async () => {
        stopped = true;
        this.wakers.delete(waker);
        hint.wake();
        await loop;
      },
    };
  }

  async ready(): Promise<void> {
    await this.pool.query('select 1');
  }

  async close(): Promise<void> {
    clearInterval(this.poll);
    for (const streams of this.live.values()) for (const stream of [...streams]) stream.end();
    await this.listener.stop();
    await this.reading;
    await this.pool.end();
  }

  private async createTables(): Promise<void> {
    try {
      await this.pool.query(TABLES);
    } catch (thrown) {
      // Two processes created them at once: the other one's are as good.
      if (!isDatabaseError(thrown, '23505') && !isDatabaseError(thrown, '42P07')) throw thrown;
      await this.pool.query(TABLES);
    }
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

  private async *past(subject: string, start: StartAt, after: bigint): AsyncGenerator<BusEvent> {
    if (start === 'LATEST') {
      const { rows } = await this.pool.query<Row>(
        'select position, id, subject, payload from bus_event where subject = $1 order by position desc limit 1',
        [subject],
      );
      yield* rows;
      return;
    }
    for (let last = after; ; ) {
      const { rows } = await this.pool.query<Row>(
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
    for (const waker of this.wakers) waker();
    if (this.reading) {
      this.readAgain = true;
      return;
    }
    this.reading = this.readNew()
      .catch((thrown: unknown) => this.logger.warn({ err: thrown }, 'could not read the bus'))
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
      const { rows } = await this.pool.query<Row>(
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

  /** Takes the consumer's turn, reacts to a few events, remembers how far it came. */
  private async consumeBatch(
    name: string,
    prefix: string,
    react: (event: BusEvent) => Promise<void>,
    stopped: () => boolean,
  ): Promise<boolean> {
    await this.pool.query('insert into bus_consumer (name, position) values ($1, 0) on conflict do nothing', [name]);
    const { rows } = await this.pool.query<Row>(
      `select event.position, id, subject, payload from bus_event event, bus_consumer consumer
        where consumer.name = $1 and event.position > consumer.position and subject like $2
        order by event.position limit 50`,
      [name, `${prefix.replace(/[\\%_]/g, '\\$&')}.%`],
    );
    for (const row of rows) {
      if (stopped()) return false;
      await react(row);
      // Reactions are idempotent, so two processes with the same name may overlap; the position only moves on.
      await this.pool.query('update bus_consumer set position = $2 where name = $1 and position < $2', [
        name,
        row.position,
      ]);
    }
    return rows.length > 0;
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
}

function positionOf(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidError('INVALID_CURSOR', 'This cursor is not one of ours.');
  return BigInt(text);
}
