import { messageOf, UnavailableError } from '../error.js';
import type { BusEvent, EventStream } from './event-bus.js';
import type { LiveReader } from './event-live.js';

/** How many events may wait for a slow reader before its stream is ended; it then resumes after its cursor. */
const MOST_WAITING = 1_000;

type Result = IteratorResult<BusEvent, undefined>;
type Reader = PromiseWithResolvers<Result>;

/** First the past, pulled as the reader asks; then a queue of what the bus pushed since the stream was attached. */
export class QueuedEventStream implements EventStream, LiveReader {
  private readonly waiting: BusEvent[] = [];
  private readonly readers: Reader[] = [];
  private readonly readersOfPast = new Set<Reader>();
  private ending: { error?: Error } | null = null;

  constructor(
    private past: AsyncIterator<BusEvent> | null,
    /** Called once, however the stream ends. */
    private readonly onEnd: (stream: QueuedEventStream) => void,
    /** The position up to which the reader has everything, or wants nothing. */
    private last = 0n,
  ) {}

  push(event: BusEvent): void {
    if (this.ending) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.waiting.length = 0;
      this.end(interrupted('You read too slowly. Resume after your last cursor.'));
      return;
    }
    this.waiting.push(event);
    if (!this.past) this.serve();
  }

  /** Ends the stream: what waits is still delivered, then `error` is thrown where there is one. */
  end(error?: Error): void {
    if (this.ending) return;
    this.ending = error ? { error } : {};
    if (!this.past) this.serve();
    this.onEnd(this);
  }

  async next(): Promise<Result> {
    if (this.past) {
      const old = await this.nextOfPast(this.past);
      if (!old.done) {
        this.last = BigInt(old.value.position);
        return old;
      }
      this.past = null;
    }
    const reader: Reader = Promise.withResolvers();
    this.readers.push(reader);
    this.serve();
    return reader.promise;
  }

  async return(): Promise<Result> {
    this.waiting.length = 0;
    const { past } = this;
    this.past = null;
    // Not awaited: a generator returns only after the read that it is waiting for.
    void past?.return?.().catch(() => undefined);
    for (const reader of this.readersOfPast) reader.resolve({ value: undefined, done: true });
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async nextOfPast(past: AsyncIterator<BusEvent>): Promise<Result> {
    const reader: Reader = Promise.withResolvers();
    this.readersOfPast.add(reader);
    try {
      past.next().then(reader.resolve, reader.reject);
      return await reader.promise;
    } catch (thrown) {
      // Going on with what is live would leave a gap that nobody sees.
      this.past = null;
      this.waiting.length = 0;
      this.end();
      throw interrupted('The past could not be read. Resume after your last cursor.', messageOf(thrown));
    } finally {
      this.readersOfPast.delete(reader);
    }
  }

  private serve(): void {
    while (this.readers.length > 0) {
      const event = this.waiting.shift();
      if (event) {
        // Read as part of the past already.
        if (BigInt(event.position) <= this.last) continue;
        this.last = BigInt(event.position);
        this.readers.shift()?.resolve({ value: event, done: false });
      } else if (this.ending) {
        const { error } = this.ending;
        // Told once; a reader that asks again gets the end.
        this.ending = {};
        if (error) this.readers.shift()?.reject(error);
        else this.readers.shift()?.resolve({ value: undefined, done: true });
      } else return;
    }
  }
}

function interrupted(message: string, cause?: string): UnavailableError {
  const error = new UnavailableError('STREAM_INTERRUPTED', message);
  error.cause = cause;
  return error;
}
