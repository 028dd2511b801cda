import pg from 'pg';
import { HOUR } from '../clock.js';
import { createMissingDatabase } from '../database.js';
import { isDatabaseError } from '../database.retry.js';
import { SessionConnection } from '../database.session.js';
import type { Logger } from '../telemetry.js';
import {
  type BusEvent,
  type Consumption,
  type EventBus,
  type EventStream,
  type Follower,
  type Following,
  type OutgoingEvent,
  requireSubject,
  type StartAt,
} from './event-bus.js';
import { PostgresConsumption } from './event-consumption.postgres.js';
import { PostgresPublisher } from './event-publisher.postgres.js';
import { PostgresReader } from './event-reader.postgres.js';
import { CHANNEL, createMissingTables, pruneEvents } from './event-table.postgres.js';

const POLL_MS = 1_000;

/** The bus of one machine: a table read by position, with NOTIFY only as a hint, once per published batch. */
export class PostgresEventBus implements EventBus {
  private readonly pool: pg.Pool;
  private readonly listener: SessionConnection;
  private readonly publisher: PostgresPublisher;
  private readonly reader: PostgresReader;
  private readonly consumptions = new Set<PostgresConsumption>();
  private readonly timers: NodeJS.Timeout[];
  private closed = false;

  private constructor(
    url: string,
    private readonly logger: Logger,
  ) {
    this.pool = openPool(url, logger);
    this.publisher = new PostgresPublisher(this.pool);
    this.reader = new PostgresReader(this.pool, logger);
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
    const bus = new PostgresEventBus(url, logger);
    try {
      await createMissingTables(bus.pool).catch(async (thrown: unknown) => {
        if (!isDatabaseError(thrown, '3D000')) throw thrown;
        await createMissingDatabase(url);
        await createMissingTables(bus.pool);
      });
      await bus.listener.get();
      return bus;
    } catch (thrown) {
      await bus.close();
      throw thrown;
    }
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    if (await this.publisher.publish(events)) this.wake();
  }

  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    requireSubject(subject);
    return this.reader.subscribe(subject, start);
  }

  async follow(subject: string, follower: Follower): Promise<Following> {
    requireSubject(subject);
    return this.reader.follow(subject, follower);
  }

  async past(subject: string, start: StartAt): Promise<AsyncGenerator<BusEvent, undefined>> {
    requireSubject(subject);
    return this.reader.past(subject, start);
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
    const reading = this.reader.close();
    await Promise.all([...this.consumptions].map((consumption) => consumption.stop()));
    await this.listener.stop();
    await reading;
    await this.pool.end();
  }

  /** Drops events that are older than the bus keeps. */
  async prune(retentionMs?: number): Promise<void> {
    await pruneEvents(this.pool, () => !this.closed, retentionMs);
  }

  private wake(): void {
    for (const consumption of this.consumptions) consumption.wake();
    this.reader.wake();
  }

  private warn(thrown: unknown, message: string): void {
    if (!this.closed) this.logger.warn({ err: thrown }, message);
  }
}

function openPool(url: string, logger: Logger): pg.Pool {
  const pool = new pg.Pool({
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
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle connection to the bus was lost'));
  // A connection that breaks in a transaction says so to the transaction; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
