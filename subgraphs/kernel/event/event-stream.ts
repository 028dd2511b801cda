import { UnavailableError } from '../error.js';
import type { BusEvent, EventStream } from './event-bus.js';

/** How many events may wait for a slow reader before its stream is ended; it then resumes after its cursor. */
const MOST_WAITING = 1_000;

type Reader = PromiseWithResolvers<IteratorResult<BusEvent, undefined>>;

/** First the past, pulled as the reader asks; then a queue of what the bus pushed since the stream was attached. */
export class QueuedEventStream implements EventStream {
  private readonly waiting: BusEvent[] = [];
  private readers: Reader[] = [];
  private ending: { error?: Error } | null = null;
  private last = 0n;

  constructor(
    private past: AsyncIterator<BusEvent> | null,
    /** Called once, however the stream ends. */
    private readonly onEnd: (stream: QueuedEventStream) => void,
  ) {}

  push(event: BusEvent): void {
    if (this.ending) return;
    if (this.waiting.length >= MOST_WAITING) {
      this.waiting.length = 0;
      return this.end(new UnavailableError('STREAM_INTERRUPTED', 'You read too slowly. Resume after your last cursor.'));
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

  async next(): Promise<IteratorResult<BusEvent, undefined>> {
    if (this.past) {
      const old = await this.past.next();
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

  async return(): Promise<IteratorResult<BusEvent, undefined>> {
    this.waiting.length = 0;
    const { past } = this;
    this.past = null;
    this.end();
    await past?.return?.();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
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
