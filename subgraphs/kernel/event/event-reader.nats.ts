import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { SECOND } from '../clock.js';
import type { Logger } from '../telemetry.js';
import { type BusEvent, invalidCursor, positionOf, type StartAt } from './event-bus.js';

export const STREAM = 'SOJOURN';
export const PREFIX = 'sojourn.event.';
const PAGE = 500;
// Why a request to JetStream failed, as its server numbers it.
const NO_MESSAGE_FOUND = 10_037;

const bodySchema = z.object({ id: z.string(), payload: z.record(z.string(), z.unknown()) });

/** Reads the stream of the bus: a subject's past, and what is new of all subjects. */
export class NatsReader {
  constructor(
    private readonly connection: NatsConnection,
    private readonly client: JetStreamClient,
    private readonly admin: JetStreamManager,
    private readonly logger: Logger,
  ) {}

  /** Page by page, each with a consumer of its own: a slow reader leaves none behind on the server. */
  async *read(subject: string, first: number): AsyncGenerator<BusEvent, undefined> {
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

  /** Where a stream begins to read. @throws InvalidError INVALID_CURSOR */
  async firstSequence(subject: string, start: StartAt): Promise<number> {
    if (start === 'BEGINNING') return 1;
    const newest = await this.newest();
    if (start === 'LIVE') return Number(newest) + 1;
    if (start === 'LATEST') return (await this.newestOf(subject)) ?? Number(newest) + 1;
    const after = positionOf(start.after);
    if (after > newest) throw invalidCursor();
    return Number(after) + 1;
  }

  /** What comes from now on, of all subjects. */
  async tail(): Promise<ConsumerMessages> {
    const consumer = await this.consumerOf('>', Number(await this.newest()) + 1);
    return consumer.consume({ max_messages: PAGE, idle_heartbeat: 5 * SECOND });
  }

  /** The position of the newest event of all. */
  async newest(): Promise<bigint> {
    const { state } = await this.admin.streams.info(STREAM);
    return BigInt(state.last_seq);
  }

  subjectOf(message: JsMsg): string {
    return message.subject.slice(PREFIX.length);
  }

  /** Null for a message that is not of ours: it is logged and left out, or it would block all that follow. */
  eventOf(message: JsMsg): BusEvent | null {
    const { seq: position } = message;
    try {
      const { id, payload } = bodySchema.parse(message.json());
      const publishedAt = Number(message.timestampNanos / 1_000_000n);
      return { id, subject: this.subjectOf(message), position: String(position), payload, publishedAt };
    } catch (thrown) {
      this.logger.error({ err: thrown, position }, 'a foreign message on the bus is left out');
      return null;
    }
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

  private async newestOf(subject: string): Promise<number | null> {
    try {
      const message = await this.admin.streams.getMessage(STREAM, { last_by_subj: PREFIX + subject });
      return message?.seq ?? null;
    } catch (thrown) {
      if (isApiError(thrown, NO_MESSAGE_FOUND)) return null;
      throw thrown;
    }
  }

  /** Left alone, the server would drop it after five minutes. */
  private drop(consumer: Consumer): void {
    if (!this.connection.isClosed()) void consumer.delete().catch(() => undefined);
  }
}

export function isApiError(thrown: unknown, code: number): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
