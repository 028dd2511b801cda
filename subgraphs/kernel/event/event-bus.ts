/** What happened, as it travels between services. Thin: ids, never personal data. */
export type EventPayload = Readonly<Record<string, unknown>>;

/** An event on its way to the bus. Publishing the same `id` again has no effect. */
export interface OutgoingEvent {
  readonly id: string;
  /** Each audience has a subject: dot-separated tokens, such as `payment.pay_us_01…`. */
  readonly subjects: readonly string[];
  readonly payload: EventPayload;
}

export interface BusEvent {
  readonly id: string;
  readonly subject: string;
  /** Where to resume: opaque, grows along the bus. */
  readonly position: string;
  readonly payload: EventPayload;
}

/** Where a subscription begins: with all that the bus still has, the newest one, the next one, or after a position. */
export type StartAt = 'BEGINNING' | 'LATEST' | 'LIVE' | { readonly after: string };

/** A live stream of one subject, in order. `return()` ends it at once, also while it waits. */
export type EventStream = AsyncIterableIterator<BusEvent, undefined, undefined> & {
  return(): Promise<IteratorResult<BusEvent, undefined>>;
};

/** At least once, in order per subject, resumable by position. */
export interface EventBus {
  /** Resolves when the bus has stored all of them. */
  publish(events: readonly OutgoingEvent[]): Promise<void>;

  /**
   * Resolves when the stream is attached: nothing published afterwards is missed.
   * @throws InvalidError INVALID_CURSOR for a position that this bus never gave
   */
  subscribe(subject: string, start: StartAt): Promise<EventStream>;

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
  stop(): Promise<void>;
}
