import { DAY } from '../clock.js';
import { InvalidError, NotFoundError } from '../error.js';

/** What happened, as it travels between services. Thin: ids, never personal data. */
export type EventPayload = Readonly<Record<string, unknown>>;

/** An event on its way to the bus. Publishing the same `id` again has no effect. */
export interface OutgoingEvent {
  readonly id: string;
  /** Each audience has a subject: dot-separated tokens, such as `payment.pay_us_01…`. */
  readonly subjects: readonly string[];
  readonly payload: EventPayload;
  /** Only the newest event of the subject matters (a price): older ones are dropped. */
  readonly latestOnly?: boolean;
}

export interface BusEvent {
  readonly id: string;
  readonly subject: string;
  /** Where to resume: opaque, grows along the bus. */
  readonly position: string;
  readonly payload: EventPayload;
  /** When the bus took it, by the bus's clock, in milliseconds since 1970. */
  readonly publishedAt: number;
}

/** Where a subscription begins: with all that the bus still has, the newest one, the next one, or after a position. */
export type StartAt = 'BEGINNING' | 'LATEST' | 'LIVE' | { readonly after: string };

/** A live stream of one subject, in order. `return()` ends it at once, also while it waits. */
export type EventStream = AsyncIterableIterator<BusEvent, undefined, undefined> & {
  return(): Promise<IteratorResult<BusEvent, undefined>>;
};

/** Who takes the events of a subject as they come: it has to keep up, for nothing waits for it. */
export interface Follower {
  take(event: BusEvent): void;
  /** Called once when the bus stops: nothing comes any more. */
  lost(): void;
}

export interface Following {
  /** Nothing is taken afterwards. */
  stop(): void;
}

/** At least once, in order per subject, resumable by position. Events are kept for 30 days. */
export interface EventBus {
  /** Resolves when the bus has stored all of them. */
  publish(events: readonly OutgoingEvent[]): Promise<void>;

  /**
   * Resolves when the stream is attached: nothing published afterwards is missed.
   * @throws InvalidError INVALID_CURSOR for a position that this bus never gave
   * @throws NotFoundError for a subject that nothing is ever published to: clients' input may be part of one
   */
  subscribe(subject: string, start: StartAt): Promise<EventStream>;

  /**
   * Hands over what is published from now on, for little: a gateway follows a subject once for thousands of subscribers,
   * or thousands of subjects. Resolves when nothing is missed any more.
   * @throws NotFoundError like `subscribe`
   */
  follow(subject: string, follower: Follower): Promise<Following>;

  /**
   * What the bus has of a subject, from `start` on, in order; it ends where there is no more. Who follows the subject
   * before it reads the end has no gap between the two, but may find some events in both.
   * @throws like `subscribe`
   */
  past(subject: string, start: StartAt): Promise<AsyncGenerator<BusEvent, undefined>>;

  /**
   * Delivers every event whose subject starts with `prefix.` to `react`, from the beginning of the bus, each again
   * until `react` succeeds. `name` remembers how far it came, across restarts and processes.
   */
  consume(name: string, prefix: string, react: (event: BusEvent) => Promise<void>): Promise<Consumption>;

  /** @throws when the bus cannot be reached */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface Consumption {
  /** Resolves when the reaction under way is done. */
  stop(): Promise<void>;
}

/** How long a bus keeps an event. */
export const RETENTION_MS = 30 * DAY;

const SUBJECT = /^[\w-]{1,64}(\.[\w-]{1,64}){0,7}$/;

/**
 * Whether this is a subject: tokens of letters, digits, `_` and `-`. Anything else could be a wildcard to a bus, and
 * show a client more than it may see.
 */
export function isSubject(text: string): boolean {
  return SUBJECT.test(text);
}

/** @throws NotFoundError */
export function requireSubject(text: string): void {
  if (!isSubject(text)) throw new NotFoundError();
}

/** The position that a client sent as a cursor. @throws InvalidError INVALID_CURSOR */
export function positionOf(cursor: string): bigint {
  if (!/^\d{1,18}$/.test(cursor)) throw invalidCursor();
  return BigInt(cursor);
}

export function invalidCursor(): InvalidError {
  return new InvalidError('INVALID_CURSOR', 'This cursor is not one of ours.');
}
