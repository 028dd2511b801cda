import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, headers, type NatsConnection, nanos } from '@nats-io/transport-node';
import { HOUR, SECOND, sleep } from '../clock.js';
import type { Logger } from '../telemetry.js';
import {
  type BusEvent,
  type Consumption,
  type EventBus,
  type EventStream,
  type Follower,
  type Following,
  type OutgoingEvent,
  RETENTION_MS,
  requireSubject,
  type StartAt,
} from './event-bus.js';
import { NatsConsumption } from './event-consumption.nats.js';
import { LiveFollowing } from './event-live.js';
import { NatsLive } from './event-live.nats.js';
import { isApiError, NatsReader, PREFIX, STREAM } from './event-reader.nats.js';
import { QueuedEventStream } from './event-stream.js';

// Why a request to JetStream failed, as its server numbers it.
const STREAM_NOT_FOUND = 10_059;

/**
 * The bus of many machines: one JetStream stream in files, positions are its sequence. Where only the newest event of
 * a subject matters, publishing rolls the subject up: the server drops the older ones.
 */
export class NatsEventBus implements EventBus {
  private readonly reader: NatsReader;
  private readonly live: NatsLive;
  private readonly consumptions = new Set<NatsConsumption>();
  private closed = false;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly client: JetStreamClient,
    private readonly admin: JetStreamManager,
    private readonly logger: Logger,
  ) {
    this.reader = new NatsReader(connection, client, admin, logger);
    this.live = new NatsLive(this.reader);
    void this.watch();
  }

  /** Connects, trying for a quarter of a minute, and creates the stream where it is missing. Then reconnects forever. */
  static async open(url: string, logger: Logger): Promise<NatsEventBus> {
    const connection = await connectWithin(15 * SECOND, url, logger);
    try {
      const admin = await jetstreamManager(connection, { timeout: 5 * SECOND });
      await createMissingStream(admin);
      return new NatsEventBus(connection, jetstream(connection, { timeout: 5 * SECOND }), admin, logger);
    } catch (thrown) {
      await connection.close();
      throw thrown;
    }
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const bySubject = new Map<string, OutgoingEvent[]>();
    for (const event of events)
      for (const subject of event.subjects) {
        requireSubject(subject);
        bySubject.set(subject, [...(bySubject.get(subject) ?? []), event]);
      }
    // In order within a subject, also when a connection breaks halfway and all of it is sent again.
    const sent = [...bySubject].map(async ([subject, ofSubject]) => {
      for (const event of ofSubject) await this.send(subject, event);
    });
    const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    requireSubject(subject);
    const first = start === 'LIVE' ? null : await this.reader.firstSequence(subject, start);
    // Attached before the past is read: nothing can fall between the two.
    return this.live.attach(subject, (newest) => {
      const past = first === null ? null : this.reader.read(subject, first);
      const after = first === null ? newest : BigInt(first) - 1n;
      return new QueuedEventStream(past, (ended) => this.live.detach(subject, ended), after);
    });
  }

  async follow(subject: string, follower: Follower): Promise<Following> {
    requireSubject(subject);
    return this.live.attach(subject, (newest) => new LiveFollowing(subject, follower, newest, this.live.detach));
  }

  async past(subject: string, start: StartAt): Promise<AsyncGenerator<BusEvent, undefined>> {
    requireSubject(subject);
    return this.reader.read(subject, await this.reader.firstSequence(subject, start));
  }

  async consume(name: string, prefix: string, react: (event: BusEvent) => Promise<void>): Promise<Consumption> {
    requireSubject(prefix);
    const consumption = new NatsConsumption(this.client, this.admin, this.logger, {
      stream: STREAM,
      name,
      filter: `${PREFIX}${prefix}.>`,
      react: async (message) => {
        const event = this.reader.eventOf(message);
        if (event) await react(event);
      },
      onStop: (stopped) => this.consumptions.delete(stopped),
    });
    this.consumptions.add(consumption);
    await consumption.start();
    return consumption;
  }

  async ready(): Promise<void> {
    await this.admin.streams.info(STREAM);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.live.close();
    await Promise.all([...this.consumptions].map((consumption) => consumption.stop()));
    await this.connection.close();
  }

  private async send(subject: string, event: OutgoingEvent): Promise<void> {
    const { id, payload, latestOnly } = event;
    const options = { msgID: `${id}:${subject}` };
    const body = JSON.stringify({ id, payload });
    if (!latestOnly) return void (await this.client.publish(PREFIX + subject, body, options));
    const rollUp = headers();
    rollUp.set('Nats-Rollup', 'sub');
    await this.client.publish(PREFIX + subject, body, { ...options, headers: rollUp });
  }

  private async watch(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect' && !this.closed) this.logger.warn('lost the connection to the bus');
      if (type === 'reconnect') this.logger.info('connected to the bus again');
    }
  }
}

async function connectWithin(ms: number, url: string, logger: Logger): Promise<NatsConnection> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await connect({
        servers: url,
        name: 'sojourn',
        timeout: 2 * SECOND,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
        pingInterval: 20 * SECOND,
      });
    } catch (thrown) {
      if (Date.now() > deadline) throw thrown;
      logger.warn({ err: thrown }, 'cannot connect to the bus, trying again');
      await sleep(500);
    }
  }
}

/** An existing stream is left as it is: who runs the servers may have given it replicas or another age. */
async function createMissingStream(admin: JetStreamManager): Promise<void> {
  try {
    await admin.streams.info(STREAM);
  } catch (thrown) {
    if (!isApiError(thrown, STREAM_NOT_FOUND)) throw thrown;
    await admin.streams.add({
      name: STREAM,
      subjects: [`${PREFIX}>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_age: nanos(RETENTION_MS),
      // Longer than a relay needs to be started again and send its last batch a second time.
      duplicate_window: nanos(HOUR),
      allow_rollup_hdrs: true,
    });
  }
}
