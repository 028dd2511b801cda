import { UnavailableError } from '../subgraphs/kernel/error.js';

/** The open streams of one asker. */
export interface StreamCount {
  readonly asker: string;
  open: number;
}

/** How many streams each asker has open at once. */
export class StreamLimit {
  private readonly counts = new Map<string, StreamCount>();

  constructor(private readonly most: number) {}

  /** @throws UnavailableError RATE_LIMITED when this asker has as many as it may */
  enter(asker: string): StreamCount {
    const count = this.counts.get(asker) ?? { asker, open: 0 };
    if (count.open >= this.most)
      throw new UnavailableError('RATE_LIMITED', 'You have too many subscriptions open.', { most: this.most });
    count.open += 1;
    this.counts.set(asker, count);
    return count;
  }

  leave(count: StreamCount): void {
    count.open -= 1;
    if (count.open === 0) this.counts.delete(count.asker);
  }
}
