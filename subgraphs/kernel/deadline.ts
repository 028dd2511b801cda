import { AsyncLocalStorage } from 'node:async_hooks';
import { UnavailableError } from './error.js';

/** How long the answer may still take, in milliseconds: whoever asks does not wait for it any longer. */
export const DEADLINE_HEADER = 'x-deadline-ms';

/** When nobody waits any more for what is being done, on the clock of `performance.now()`. */
const current = new AsyncLocalStorage<number>();

const NEVER = Number.POSITIVE_INFINITY;

/** Runs something for whom `header` says how long they wait. Whoever says nothing, or nonsense, waits for ever. */
export function withDeadline<T>(header: string | undefined, work: () => T): T {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return withoutDeadline(work);
  return current.run(performance.now() + Number(header), work);
}

/** Runs something that is begun for a caller and outlives its call: it is not less wanted when the caller is gone. */
export function withoutDeadline<T>(work: () => T): T {
  return current.run(NEVER, work);
}

/** Milliseconds, infinite where nobody said how long they wait. */
export function msLeft(): number {
  return (current.getStore() ?? NEVER) - performance.now();
}

/** To be asked before something is begun. @throws UnavailableError SUBGRAPH_UNAVAILABLE: nothing was done */
export function requireTimeLeft(): void {
  if (msLeft() <= 0) throw new UnavailableError('SUBGRAPH_UNAVAILABLE', 'This came too late to be begun. Try again.');
}
