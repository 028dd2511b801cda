import { SECOND } from '../subgraphs/kernel/clock.js';

const FAILURES_TO_OPEN = 10;
const FIRST_PAUSE = SECOND / 2;
const LONGEST_PAUSE = 5 * SECOND;

/**
 * Stops asking a subgraph that only fails, so that its callers learn it at once and it can recover. After a pause one
 * request tries; the pause doubles while that fails.
 */
export class CircuitBreaker {
  private failures = 0;
  private pause = FIRST_PAUSE;
  private closedUntil = 0;
  private trying = false;

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether it keeps requests back, but for one that tries. */
  get isOpen(): boolean {
    return this.failures >= FAILURES_TO_OPEN;
  }

  /** Whether a request may go out. Whoever was admitted says how it went. */
  admits(): boolean {
    if (!this.isOpen) return true;
    if (this.trying || this.now() < this.closedUntil) return false;
    this.trying = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.pause = FIRST_PAUSE;
    this.trying = false;
  }

  failed(): void {
    this.failures += 1;
    if (!this.isOpen) return;
    this.closedUntil = this.now() + this.pause;
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.trying = false;
  }

  /** The caller went away before anything was learnt. */
  abandoned(): void {
    this.trying = false;
  }
}
