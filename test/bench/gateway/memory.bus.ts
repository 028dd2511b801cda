import {
  type BusEvent,
  type Consumption,
  type EventBus,
  type EventStream,
  type OutgoingEvent,
  requireSubject,
  type StartAt,
} from '../../../subgraphs/kernel/event/event-bus.js';
import { QueuedEventStream } from '../../../subgraphs/kernel/event/event-stream.js';

/** A bus in the memory of the gateway's process: what is measured is the gateway, not PostgreSQL. It keeps nothing. */
export class MemoryBus implements EventBus {
  private readonly streams = new Map<string, Set<QueuedEventStream>>();
  private position = 0;

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    for (const { id, subjects, payload } of events) {
      this.position += 1;
      for (const subject of subjects) {
        const event: BusEvent = { id, subject, position: String(this.position), payload, publishedAt: Date.now() };
        for (const stream of this.streams.get(subject) ?? []) stream.push(event);
      }
    }
  }

  /** @throws Error for any start but LIVE: nothing is kept */
  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    requireSubject(subject);
    if (start !== 'LIVE') throw new Error('this bus keeps nothing: it has only what comes');
    const streams = this.streams.get(subject) ?? new Set();
    this.streams.set(subject, streams);
    const stream = new QueuedEventStream(null, (ended) => {
      streams.delete(ended);
      if (streams.size === 0 && this.streams.get(subject) === streams) this.streams.delete(subject);
    });
    streams.add(stream);
    return stream;
  }

  async past(): Promise<AsyncGenerator<BusEvent, undefined>> {
    throw new Error('this bus keeps nothing: it has no past');
  }

  async consume(): Promise<Consumption> {
    throw new Error('this bus keeps nothing: there is nothing to consume from its beginning');
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    for (const streams of this.streams.values()) for (const stream of streams) stream.end();
  }
}
