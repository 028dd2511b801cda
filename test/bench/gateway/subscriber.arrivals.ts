import { moment } from './publisher.js';

const MARK = Buffer.from('"sequence":');
const ZERO = 48;

/** How often each event of a series arrived at the subscribers of this process, and when at the last of them. */
export class Arrivals {
  private first = 0;
  private counts = new Uint32Array();
  private lastAt = new Float64Array();
  private endings = 0;
  private failures = 0;
  private readonly reasons: string[] = [];
  /** Grows with each arrival. */
  private heard = 0;

  begin(first: number, count: number): void {
    this.first = first;
    this.counts = new Uint32Array(count);
    this.lastAt = new Float64Array(count);
    this.failures = 0;
  }

  get total(): number {
    return this.heard + this.failures;
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

  /** An event with an error instead of what was asked: the subscriber stays, and did not hear it. */
  failed(why: string): void {
    this.failures += 1;
    this.tell(why);
  }

  ended(why: string): void {
    this.endings += 1;
    this.tell(why);
  }

  report() {
    return {
      counts: Array.from(this.counts),
      lastAt: Array.from(this.lastAt),
      ended: this.endings,
      failed: this.failures,
      reasons: this.reasons,
    };
  }

  /** Whether each event reached so many, or failed on its way to them. */
  hasAll(each: number): boolean {
    if (this.failures === 0) return this.counts.every((count) => count >= each);
    return this.counts.reduce((sum, count) => sum + count, this.failures) >= each * this.counts.length;
  }

  private tell(why: string): void {
    if (this.reasons.length < 3) this.reasons.push(why);
  }

  private note(index: number): void {
    this.heard += 1;
    const count = this.counts[index];
    // Of an earlier series.
    if (count === undefined) return;
    this.counts[index] = count + 1;
    this.lastAt[index] = moment();
  }
}
