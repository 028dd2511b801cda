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
} from '../../../subgraphs/kernel/event/event-bus.js';
import { LiveFollowing, LiveReaders } from '../../../subgraphs/kernel/event/event-live.js';
import { QueuedEventStream } from '../../../subgraphs/kernel/event/event-stream.js';

/** A bus in the memory of the gateway's process: what is measured is the gateway, not PostgreSQL. It keeps nothing. */
export class MemoryBus implements EventBus {
  private readonly live = new LiveReaders();
  private position = 0n;

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    for (const { id, subjects, payload } of events) {
      this.position += 1n;
      for (const subject of subjects)
        this.live.push({ id, subject, position: String(this.position), payload, publishedAt: Date.now() });
    }
  }

  /** @throws Error for any start but LIVE: nothing is kept */
  async subscribe(subject: string, start: StartAt): Promise<EventStream> {
    requireSubject(subject);
    if (start !== 'LIVE') throw new Error('this bus keeps nothing: it has only what comes');
    const stream = new QueuedEventStream(null, (ended) => this.live.detach(subject, ended));
    this.live.attach(subject, stream);
    return stream;
  }

  async follow(subject: string, follower: Follower): Promise<Following> {
    requireSubject(subject);
    const following = new LiveFollowing(subject, follower, this.position, (of, ended) => this.live.detach(of, ended));
    this.live.attach(subject, following);
    return following;
  }

  async past(): Promise<AsyncGenerator<BusEvent, undefined>> {
    throw new Error('this bus keeps nothing: it has no past');
  }

  async consume(): Promise<Consumption> {
    throw new Error('this bus keeps nothing: there is nothing to consume from its beginning');
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.live.end();
  }
}
