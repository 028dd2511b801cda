import { moment } from './publisher.js';

const MARK = Buffer.from('"sequence":');
const ZERO = 48;

/** How often each event of a series arrived at the subscribers of this process, and when at the last of them. */
export class Arrivals {
  private first = 0;
  private counts = new Uint32Array();
  private lastAt = new Float64Array();
  private endings = 0;
  readonly reasons: string[] = [];
  /** Grows with each arrival. */
  total = 0;

  begin(first: number, count: number): void {
    this.first = first;
    this.counts = new Uint32Array(count);
    this.lastAt = new Float64Array(count);
  }

  /** Notes every event in these bytes. @returns whether there was one */
  take(bytes: Buffer, start: number, end: number): boolean {
    let found = false;
    for (let at = bytes.indexOf(MARK, start); at >= 0 && at < end; at = bytes.indexOf(MARK, at)) {
      at += MARK.length;
      let sequence = 0;
      for (let digit = (bytes[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (bytes[at] ?? 0) - ZERO) {
        sequence = sequence * 10 + digit;
        at += 1;
      }
      found = true;
      this.note(sequence - this.first);
      if (at >= end) break;
    }
    return found;
  }

  ended(why: string): void {
    this.endings += 1;
    if (this.reasons.length < 3) this.reasons.push(why);
  }

  report() {
    return {
      counts: Array.from(this.counts),
      lastAt: Array.from(this.lastAt),
      ended: this.endings,
      reasons: this.reasons,
    };
  }

  hasAll(each: number): boolean {
    return this.counts.every((count) => count >= each);
  }

  private note(index: number): void {
    this.total += 1;
    const count = this.counts[index];
    // Of an earlier series.
    if (count === undefined) return;
    this.counts[index] = count + 1;
    this.lastAt[index] = moment();
  }
}
