import { SECOND } from '../subgraphs/kernel/clock.js';

/** Something that may only live until a moment. */
export interface Expiring {
  /** Null: as long as it likes. */
  readonly expiresAt: Date | null;
  expire(): void;
}

const TICK_MS = 250;

/** Ends what has lived its time, within a second of it: all by one timer, however many there are. */
export class Expiries {
  private readonly bySecond = new Map<number, Set<Expiring>>();
  private timer: NodeJS.Timeout | null = null;
  /** Everything up to this second has been ended. */
  private passed: number;

  constructor(private readonly now: () => number) {
    this.passed = this.secondOf(now());
  }

  add(expiring: Expiring): void {
    const second = this.dueOf(expiring);
    if (second === null) return;
    // Whoever adds it is not done with it yet.
    if (second <= this.passed) return void setImmediate(() => expiring.expire());
    const due = this.bySecond.get(second) ?? new Set();
    due.add(expiring);
    this.bySecond.set(second, due);
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  remove(expiring: Expiring): void {
    const second = this.dueOf(expiring);
    if (second === null) return;
    const due = this.bySecond.get(second);
    due?.delete(expiring);
    if (due?.size === 0) this.bySecond.delete(second);
    if (this.bySecond.size === 0) this.close();
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    const present = this.secondOf(this.now());
    // Looked up second by second, unless the process slept for longer than there are seconds to look at.
    const elapsed = present - this.passed;
    const seconds =
      elapsed > this.bySecond.size
        ? [...this.bySecond.keys()].filter((second) => second <= present)
        : Array.from({ length: Math.max(0, elapsed) }, (_, index) => this.passed + 1 + index);
    this.passed = Math.max(this.passed, present);
    for (const second of seconds) {
      const due = this.bySecond.get(second);
      this.bySecond.delete(second);
      for (const expiring of due ?? []) expiring.expire();
    }
    if (this.bySecond.size === 0) this.close();
  }

  /** The first whole second at which it is over. */
  private dueOf({ expiresAt }: Expiring): number | null {
    return expiresAt && Math.ceil(expiresAt.getTime() / SECOND);
  }

  private secondOf(ms: number): number {
    return Math.floor(ms / SECOND);
  }
}
