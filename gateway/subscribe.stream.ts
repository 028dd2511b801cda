import { UnavailableError } from '../subgraphs/kernel/error.js';
import { unauthenticated } from './authentication.js';
import type { Identity } from './context.js';
import type { StreamEnding, StreamTransport } from './metrics.js';
import type { Answer } from './subscribe.answer.js';
import type { Expiring } from './subscribe.expiry.js';
import type { Link, SubscriptionGroup } from './subscribe.group.js';
import type { StreamCount } from './subscribe.limit.js';
import type { OwnPast } from './subscribe.past.js';

/** Where a stream's answers go: one client, by one protocol. */
export interface Sink {
  /** Writes an answer. False: the client does not keep up; the sink calls the stream's `resume` when it does again. */
  take(answer: Answer): boolean;
  /** Nothing follows. The last answer, where there is one, says why. */
  end(last: Answer | null): void;
}

/** Who subscribes, as long as the stream lives. */
export interface StreamSubscriber {
  readonly identity: Identity;
  readonly requestId: string;
  readonly transport: StreamTransport;
  readonly count: StreamCount;
}

/** What all streams have in common. */
export interface StreamOwner {
  now(): number;
  /** What a client reads of an error. */
  answerTo(thrown: unknown): Answer;
  /** Names an event's place on the bus to the clients of a subject. */
  cursorOf(group: SubscriptionGroup, position: bigint): string;
  ended(stream: SubscriptionStream, ending: StreamEnding): void;
}

/** How many events may wait for a subscriber that is slower than they come. */
export const MOST_WAITING = 1_000;

/**
 * One subscriber: a place in its group's chain of events, moved on as fast as its client reads. One event at a time, in
 * order. It ends with an error that says why when the token expires, the bus gives up or too much waits for it; and at
 * once, without a word, when the client leaves.
 */
export class SubscriptionStream implements Expiring {
  private sink: Sink | null = null;
  /** The first event that it has not taken; null while it reads its past and too much has come meanwhile. */
  private place: Link | null;
  private isFull = false;
  private isOver = false;
  private farewell: Answer | null = null;
  private onRoom: (() => void) | null = null;

  /** @param taken up to where on the bus it has everything, or wants nothing */
  constructor(
    readonly group: SubscriptionGroup,
    readonly subscriber: StreamSubscriber,
    private past: OwnPast | null,
    private taken: bigint | null,
    private readonly owner: StreamOwner,
  ) {
    this.place = group.end;
  }

  get expiresAt(): Date | null {
    return this.subscriber.identity.expiresAt;
  }

  /** Begins to write. */
  flowTo(sink: Sink): void {
    if (this.isOver) return void sink.end(this.farewell);
    this.sink = sink;
    if (this.past) void this.past.readFor(this);
    else this.advance();
  }

  /** Takes what has been answered since, as far as the client keeps up. */
  advance(): void {
    if (this.past || this.isFull || !this.sink) return void this.checkWaiting();
    while (!this.isOver && !this.isFull && this.place) {
      const { answer, next, position } = this.place;
      if (!answer || !next) return;
      this.place = next;
      // Read as a part of its past already.
      if (this.taken !== null && position <= this.taken) continue;
      this.take(answer, position);
    }
  }

  /** An event of its own past. Resolves when the next one may come. */
  async takePast(answer: Answer, position: bigint): Promise<void> {
    if (this.isOver) return;
    this.take(answer, position);
    if (!this.isFull || this.isOver) return;
    await new Promise<void>((resolve) => {
      this.onRoom = resolve;
    });
  }

  /**
   * Its past ends where its place in the chain begins. False: more came meanwhile than may wait, so there is more of the
   * past to be read; from now on, what comes waits again.
   */
  joinLive(): boolean {
    if (this.place === null) {
      this.place = this.group.end;
      return false;
    }
    this.past = null;
    this.advance();
    return true;
  }

  /** There is room at its client again. */
  resume(): void {
    this.isFull = false;
    const { onRoom } = this;
    this.onRoom = null;
    if (onRoom) onRoom();
    else this.advance();
  }

  get isEnded(): boolean {
    return this.isOver;
  }

  /** Where its past goes on. */
  get takenUpTo(): bigint | null {
    return this.taken;
  }

  /** The client left. */
  leave(): void {
    this.end('left', null);
  }

  /** Ends it from our side: its client may come back and go on. */
  interrupt(ending: StreamEnding, message?: string): void {
    if (this.isOver) return;
    const cursor = this.taken === null ? null : this.owner.cursorOf(this.group, this.taken);
    this.end(ending, this.owner.answerTo(interrupted(message, cursor)));
  }

  /** Ends it from our side, for good. */
  refuse(ending: StreamEnding, last: Answer): void {
    this.end(ending, last);
  }

  expire(): void {
    if (!this.isOver) this.end('expired', this.owner.answerTo(unauthenticated()));
  }

  /** Too much waits for a client that does not keep up. Who reads its past has a longer memory: the bus. */
  checkWaiting(): void {
    if (!this.place || this.group.end.number - this.place.number <= MOST_WAITING) return;
    if (this.past) this.place = null;
    // It has taken all that there is to take: the subgraphs are slower than the events.
    else if (this.place === this.group.unanswered) this.interrupt('interrupted');
    else this.interrupt('slow', 'You read too slowly. Resume after your last cursor.');
  }

  private take(answer: Answer, position: bigint): void {
    if (this.isExpired) return void this.expire();
    this.taken = position;
    if (this.sink) this.isFull = !this.sink.take(answer);
  }

  private get isExpired(): boolean {
    const { expiresAt } = this;
    return expiresAt !== null && expiresAt.getTime() <= this.owner.now();
  }

  private end(ending: StreamEnding, last: Answer | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.farewell = last;
    this.place = null;
    this.past = null;
    this.onRoom?.();
    this.onRoom = null;
    this.owner.ended(this, ending);
    if (ending !== 'left') this.sink?.end(last);
    this.sink = null;
  }
}

/** @param cursor the last one that its client has, where it has one */
export function interrupted(
  message = 'This stream was interrupted. Subscribe again after your last cursor.',
  cursor: string | null = null,
): UnavailableError {
  return new UnavailableError('STREAM_INTERRUPTED', message, cursor === null ? {} : { cursor });
}
