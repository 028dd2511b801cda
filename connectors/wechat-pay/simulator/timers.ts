/** The longest delay that a timer of Node can hold. */
const LONGEST_MS = 2 ** 31 - 1;

/** What has to happen later. Nothing here survives a restart: who schedules does so again from the books. */
export class Timers {
  private readonly pending = new Set<NodeJS.Timeout>();

  constructor(private readonly now: () => Date) {}

  at(moment: number, act: () => void): void {
    const delay = Math.min(Math.max(0, moment - this.now().getTime()), LONGEST_MS);
    const timer = setTimeout(() => {
      this.pending.delete(timer);
      act();
    }, delay);
    this.pending.add(timer);
  }

  clear(): void {
    for (const timer of this.pending) clearTimeout(timer);
    this.pending.clear();
  }
}
