import { FairLine } from './fair-line.js';

/**
 * Lets one new document be worked on in each turn of the event loop, and of many askers one after the other. Those who
 * arrive in one turn would otherwise be read, validated and compiled in a row, while every known operation waits.
 */
export class Turns {
  private readonly line = new FairLine<() => void>();
  private isTaken = false;

  /** Resolves when the asker may do a piece of work that cannot be interrupted. */
  take(asker: string): Promise<void> {
    if (this.isTaken) return new Promise((resolve) => this.line.enter(asker, resolve));
    this.endWithTheLoops();
    return Promise.resolve();
  }

  private endWithTheLoops(): void {
    this.isTaken = true;
    setImmediate(() => {
      this.isTaken = false;
      const next = this.line.take();
      if (!next) return;
      this.endWithTheLoops();
      next();
    });
  }
}
