/** The longest delay that a timer of Node can hold. */
const LONGEST_MS = 2 ** 31 - 1;

interface Pending {
  readonly moment: number;
  readonly timer: NodeJS.Timeout;
  act(): void;
}

/** What has to happen later. Nothing here survives a restart: who schedules does so again from the books. */
export class Timers {
  private readonly pending = new Set<Pending>();

  constructor(private readonly now: () => Date) {}

  at(moment: number, act: () => void): void {
    const delay = Math.min(Math.max(0, moment - this.now().getTime()), LONGEST_MS);
    const pending: Pending = { moment, act, timer: setTimeout(() => this.run(pending), delay) };
    this.pending.add(pending);
  }

  /** What is due happens now, in its order: whoever asks finds it done, also where the clock has been moved on. */
  catchUp(): void {
    const now = this.now().getTime();
    const due = Array.from(this.pending).filter(({ moment }) => moment <= now);
    for (const pending of due.toSorted((one, other) => one.moment - other.moment)) this.run(pending);
  }

  clear(): void {
    for (const { timer } of this.pending) clearTimeout(timer);
    this.pending.clear();
  }

  private run(pending: Pending): void {
    clearTimeout(pending.timer);
    this.pending.delete(pending);
    pending.act();
  }
}
