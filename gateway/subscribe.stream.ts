import type { FormattedExecutionResult } from 'graphql';
import { UnavailableError } from '../subgraphs/kernel/error.js';
import type { BusEvent, EventStream } from '../subgraphs/kernel/event/event-bus.js';
import { unauthenticated } from './authentication.js';

/** What each transport writes to its client: in the client's terms, already formatted. */
export type Result = FormattedExecutionResult;
type Step = IteratorResult<Result, undefined>;

export interface StreamOptions {
  readonly events: EventStream;
  /** The client's view of one event; `stopping` aborts when it is not wanted any more. */
  readonly resolve: (event: BusEvent, stopping: AbortSignal) => Promise<Result>;
  readonly format: (thrown: unknown) => Result;
  /** When the subscriber's token ends. */
  readonly expiresAt: Date | null;
  /** Called once, however the stream ends. */
  readonly onEnd: (stream: SubscriptionStream) => void;
  readonly now: () => number;
}

// Timers hold 31 bits of milliseconds; a longer-lived token is looked at again.
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * One subscriber's results: one event at a time, in order, pulled as fast as the client reads. Ends with an error that
 * says why when the token expires or the bus gives up, and at once, without a word, when the client leaves.
 */
export class SubscriptionStream implements AsyncGenerator<Result, undefined, undefined> {
  private ended = false;
  private reason: Error | null = null;
  private readonly stopping = new AbortController();
  private expiry: NodeJS.Timeout | null = null;

  constructor(private readonly options: StreamOptions) {
    this.watchExpiry();
  }

  async next(): Promise<Step> {
    if (this.ended) return DONE;
    try {
      const { value, done } = await this.options.events.next();
      if (this.ended) return DONE;
      // A bus that ends a stream by itself is going down: the client resumes elsewhere.
      if (done) return this.last(this.reason ?? interrupted());
      if (this.expired()) return this.last(unauthenticated());
      const result = await this.options.resolve(value, this.stopping.signal);
      return this.ended ? DONE : { value: result, done: false };
    } catch (thrown) {
      return this.ended ? DONE : this.last(this.reason ?? thrown);
    }
  }

  /** The client left. */
  async return(): Promise<Step> {
    this.end();
    await this.options.events.return();
    return DONE;
  }

  async throw(): Promise<Step> {
    return this.return();
  }

  /** Ends it from our side: the client reads `reason` after what is under way. */
  interrupt(reason: Error = interrupted()): void {
    this.reason ??= reason;
    this.stopping.abort();
    void this.options.events.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private last(reason: unknown): Step {
    const value = this.options.format(reason);
    this.end();
    void this.options.events.return();
    return { value, done: false };
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.stopping.abort();
    if (this.expiry) clearTimeout(this.expiry);
    this.options.onEnd(this);
  }

  private expired(): boolean {
    const { expiresAt, now } = this.options;
    return expiresAt !== null && expiresAt.getTime() <= now();
  }

  /** A quiet stream must end with its token too, not with the next event. */
  private watchExpiry(): void {
    const { expiresAt, now } = this.options;
    if (!expiresAt) return;
    const left = expiresAt.getTime() - now();
    this.expiry = setTimeout(
      () => (left <= LONGEST_TIMER ? this.interrupt(unauthenticated()) : this.watchExpiry()),
      Math.max(0, Math.min(left, LONGEST_TIMER)),
    );
    this.expiry.unref();
  }
}

const DONE: Step = { value: undefined, done: true };

export function interrupted(): UnavailableError {
  return new UnavailableError(
    'STREAM_INTERRUPTED',
    'This stream was interrupted. Subscribe again after your last cursor.',
  );
}
