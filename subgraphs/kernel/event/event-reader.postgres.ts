import type pg from 'pg';
import type { Logger } from '../telemetry.js';
import {
  type BusEvent,
  type EventStream,
  type Follower,
  type Following,
  invalidCursor,
  positionOf,
  type StartAt,
} from './event-bus.js';
import { LiveFollowing, type LiveReader, LiveReaders } from './event-live.js';
import { QueuedEventStream } from './event-stream.js';
import { BATCH, EVENT_COLUMNS, type EventRow } from './event-table.postgres.js';

/** Feeds all streams of a process from the table of the bus: each its own past, and what is new for all at once. */
export class PostgresReader {
  private readonly live = new LiveReaders();
  /** Up to where the live streams were fed. */
  private position = 0n;
  private reading: Promise<void> | null = null;
  private readAgain = false;
  private closed = false;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
  ) {}

  /** Resolves when the stream is attached. @throws InvalidError INVALID_CURSOR */
  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    const { after, newest } = await this.beginning(subject, start);
    // Attached before the past is read: nothing can fall between the two.
    const past = start === 'LIVE' ? null : this.read(subject, after);
    const stream = new QueuedEventStream(past, (ended) => this.live.detach(subject, ended), after);
    this.attach(subject, stream, newest);
    return stream;
  }

  /** Resolves when the follower is attached. */
  async follow(subject: string, follower: Follower): Promise<Following> {
    const { newest } = await this.positions(subject);
    const following = new LiveFollowing(subject, follower, newest, this.detach);
    this.attach(subject, following, newest);
    return following;
  }

  /** What the table has of a subject, without what comes later. @throws InvalidError INVALID_CURSOR */
  async past(subject: string, start: StartAt): Promise<AsyncGenerator<BusEvent, undefined>> {
    if (start === 'BEGINNING') return this.read(subject, 0n);
    return this.read(subject, (await this.beginning(subject, start)).after);
  }

  /** Reads what is new, for all live streams at once. One read at a time; a hint during a read causes another one. */
  wake(): void {
    // A process that only publishes need not read what it wrote.
    if (this.closed || this.live.isEmpty) return;
    if (this.reading) {
      this.readAgain = true;
      return;
    }
    this.reading = this.readNew()
      .catch((thrown: unknown) => {
        if (!this.closed) this.logger.warn({ err: thrown }, 'could not read the bus');
      })
      .finally(() => {
        this.reading = null;
        if (this.readAgain) {
          this.readAgain = false;
          this.wake();
        }
      });
  }

  /** Ends all streams. Resolves when the read under way is done. */
  async close(): Promise<void> {
    this.closed = true;
    this.live.end();
    await this.reading;
  }

  /** The position after which a stream begins. Fixed when it is attached, not when it is first read. */
  private async beginning(subject: string, start: StartAt): Promise<{ after: bigint; newest: bigint }> {
    const { newest, given, newestOfSubject } = await this.positions(subject);
    const after = positionBefore(start, newest, newestOfSubject);
    if (after > given) throw invalidCursor();
    return { after, newest };
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

  private readonly detach = (subject: string, reader: LiveReader): void => this.live.detach(subject, reader);

  /** @param newest the position of the newest event, read before */
  private attach(subject: string, reader: LiveReader, newest: bigint): void {
    if (this.closed) return void reader.end();
    const isFirst = this.live.isEmpty;
    if (isFirst) this.position = newest;
    this.live.attach(subject, reader);
    // While nobody listened, the bus was not read: something may have come since.
    if (isFirst) this.wake();
  }

  private async *read(subject: string, after: bigint): AsyncGenerator<BusEvent, undefined> {
    for (let last = after; ; ) {
      const { rows } = await this.pool.query<EventRow>(
        `select ${EVENT_COLUMNS} from bus_event event
          where subject = $1 and position > $2 order by position limit ${BATCH}`,
        [subject, last],
      );
      yield* rows;
      const newest = rows.at(-1);
      if (!newest || rows.length < BATCH) return;
      last = BigInt(newest.position);
    }
  }

  private async readNew(): Promise<void> {
    for (;;) {
      const { rows } = await this.pool.query<EventRow>({
        name: 'read-new',
        text: `select ${EVENT_COLUMNS} from bus_event event where position > $1 order by position limit ${BATCH}`,
        values: [this.position],
      });
      for (const row of rows) {
        this.position = BigInt(row.position);
        this.live.push(row);
      }
      if (rows.length < BATCH) return;
    }
  }
}

function positionBefore(start: StartAt, newest: bigint, newestOfSubject: bigint | null): bigint {
  if (start === 'BEGINNING') return 0n;
  if (start === 'LIVE') return newest;
  if (start === 'LATEST') return newestOfSubject === null ? newest : newestOfSubject - 1n;
  return positionOf(start.after);
}
