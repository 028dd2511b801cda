import type { BusEvent, Follower, Following } from './event-bus.js';

/** One who is handed what a bus reads of a subject, in order. */
export interface LiveReader {
  push(event: BusEvent): void;
  end(): void;
}

/** Everybody who is handed what one bus reads, by subject: the bus reads once for all of them. */
export class LiveReaders {
  private readonly bySubject = new Map<string, Set<LiveReader>>();

  get isEmpty(): boolean {
    return this.bySubject.size === 0;
  }

  has(subject: string): boolean {
    return this.bySubject.has(subject);
  }

  attach(subject: string, reader: LiveReader): void {
    const readers = this.bySubject.get(subject) ?? new Set();
    readers.add(reader);
    this.bySubject.set(subject, readers);
  }

  detach(subject: string, reader: LiveReader): void {
    const readers = this.bySubject.get(subject);
    readers?.delete(reader);
    if (readers?.size === 0) this.bySubject.delete(subject);
  }

  push(event: BusEvent): void {
    for (const reader of this.bySubject.get(event.subject) ?? []) reader.push(event);
  }

  end(): void {
    for (const readers of [...this.bySubject.values()]) for (const reader of [...readers]) reader.end();
  }
}

/** A follower's own place among the readers: what it needs is little, for a gateway has one for each subject. */
export class LiveFollowing implements LiveReader, Following {
  private isOver = false;

  constructor(
    private readonly subject: string,
    private readonly follower: Follower,
    /** The position up to which it wants nothing. */
    private readonly after: bigint,
    private readonly onEnd: (subject: string, following: LiveFollowing) => void,
  ) {}

  push(event: BusEvent): void {
    // The bus may just be reading what was published before somebody followed.
    if (!this.isOver && BigInt(event.position) > this.after) this.follower.take(event);
  }

  end(): void {
    if (this.isOver) return;
    this.stop();
    this.follower.lost();
  }

  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.onEnd(this.subject, this);
  }
}
