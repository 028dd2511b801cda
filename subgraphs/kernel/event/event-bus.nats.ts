import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, headers, type NatsConnection, nanos } from '@nats-io/transport-node';
import { z } from 'zod';
import { HOUR, SECOND, sleep } from '../clock.js';
import type { Logger } from '../telemetry.js';
import {
  type BusEvent,
  type Consumption,
  type EventBus,
  type EventStream,
  type Follower,
  type Following,
  invalidCursor,
  type OutgoingEvent,
  positionOf,
  RETENTION_MS,
  requireSubject,
  type StartAt,
} from './event-bus.js';
import { NatsConsumption } from './event-consumption.nats.js';
import { LiveFollowing } from './event-live.js';
import { NatsLive } from './event-live.nats.js';
import { QueuedEventStream } from './event-stream.js';

const STREAM = 'SOJOURN';
const PREFIX = 'sojourn.event.';
const PAGE = 500;
// Why a request to JetStream failed, as its server numbers it.
const NO_MESSAGE_FOUND = 10_037;
const STREAM_NOT_FOUND = 10_059;

const bodySchema = z.object({ id: z.string(), payload: z.record(z.string(), z.unknown()) });

/**
 * The bus of many machines: one JetStream stream in files, positions are its sequence. Where only the newest event of
 * a subject matters, publishing rolls the subject up: the server drops the older ones.
 */
export class NatsEventBus implements EventBus {
  private readonly live: NatsLive;
  private readonly consumptions = new Set<NatsConsumption>();
  private closed = false;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly client: JetStreamClient,
    private readonly admin: JetStreamManager,
    private readonly logger: Logger,
  ) {
    this.live = new NatsLive({
      begin: () => this.readAll(),
      newest: () => this.newest(),
      subjectOf: (message) => message.subject.slice(PREFIX.length),
      eventOf: (message) => this.eventOf(message),
    });
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
    const first = start === 'LIVE' ? null : await this.firstSequence(subject, start);
    // Attached before the past is read: nothing can fall between the two.
    return this.live.attach(subject, (newest) => {
      const past = first === null ? null : this.read(subject, first);
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
    return this.read(subject, await this.firstSequence(subject, start));
  }

  async consume(name: string, prefix: string, react: (event: BusEvent) => Promise<void>): Promise<Consumption> {
    requireSubject(prefix);
    const consumption = new NatsConsumption(this.client, this.admin, this.logger, {
      stream: STREAM,
      name,
      filter: `${PREFIX}${prefix}.>`,
      react: async (message) => {
        const event = this.eventOf(message);
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

  private async readAll(): Promise<ConsumerMessages> {
    const consumer = await this.consumerOf('>', Number(await this.newest()) + 1);
    return consumer.consume({ max_messages: PAGE, idle_heartbeat: 5 * SECOND });
  }

  /** @param subject or `>` for all of them */
  private consumerOf(subject: string, first: number): Promise<Consumer> {
    return this.client.consumers.get(STREAM, {
      filter_subjects: PREFIX + subject,
      // By number always: a consumer that is made again after a loss would otherwise begin somewhere else.
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
    });
  }

  /** Page by page, each with a consumer of its own: a slow reader leaves none behind on the server. */
  private async *read(subject: string, first: number): AsyncGenerator<BusEvent, undefined> {
    for (let from: number | null = first; from !== null; ) {
      const messages = await this.page(subject, from);
      for (const message of messages) {
        const event = this.eventOf(message);
        if (event) yield event;
      }
      const last = messages.at(-1);
      from = last && last.info.pending > 0 ? last.seq + 1 : null;
    }
  }

  private async page(subject: string, first: number): Promise<JsMsg[]> {
    const consumer = await this.consumerOf(subject, first);
    const read: JsMsg[] = [];
    try {
      const { num_pending: pending } = await consumer.info(true);
      if (pending === 0) return read;
      for await (const message of await consumer.fetch({ max_messages: PAGE, expires: 5 * SECOND })) {
        read.push(message);
        if (message.info.pending === 0) break;
      }
      return read;
    } finally {
      this.drop(consumer);
    }
  }

  private async firstSequence(subject: string, start: StartAt): Promise<number> {
    if (start === 'BEGINNING') return 1;
    const newest = await this.newest();
    if (start === 'LIVE') return Number(newest) + 1;
    if (start === 'LATEST') return (await this.newestOf(subject)) ?? Number(newest) + 1;
    const after = positionOf(start.after);
    if (after > newest) throw invalidCursor();
    return Number(after) + 1;
  }

  private async newest(): Promise<bigint> {
    const { state } = await this.admin.streams.info(STREAM);
    return BigInt(state.last_seq);
  }

  private async newestOf(subject: string): Promise<number | null> {
    try {
      const message = await this.admin.streams.getMessage(STREAM, { last_by_subj: PREFIX + subject });
      return message?.seq ?? null;
    } catch (thrown) {
      if (isApiError(thrown, NO_MESSAGE_FOUND)) return null;
      throw thrown;
    }
  }

  /** Null for a message that is not of ours: it is logged and left out, or it would block all that follow. */
  private eventOf(message: JsMsg): BusEvent | null {
    const { seq: position } = message;
    try {
      const { id, payload } = bodySchema.parse(message.json());
      const publishedAt = Number(message.timestampNanos / 1_000_000n);
      return { id, subject: message.subject.slice(PREFIX.length), position: String(position), payload, publishedAt };
    } catch (thrown) {
      this.logger.error({ err: thrown, position }, 'a foreign message on the bus is left out');
      return null;
    }
  }

  /** Left alone, the server would drop it after five minutes. */
  private drop(consumer: Consumer): void {
    if (!this.connection.isClosed()) void consumer.delete().catch(() => undefined);
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

function isApiError(thrown: unknown, code: number): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
