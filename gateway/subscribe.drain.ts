import { sleep } from '../subgraphs/kernel/clock.js';

const TURN_MS = 50;
const LEAST_A_TURN = 100;
const MOST_TURNS = 100;

/**
 * Ends many, some at a time: their clients come back at once, and all of them together would knock over whoever takes
 * them. At most 2,000 a second, but never longer than 5 seconds.
 */
export async function endInTurns<T>(all: Iterable<T>, end: (each: T) => void): Promise<void> {
  const waiting = [...all];
  const perTurn = Math.max(LEAST_A_TURN, Math.ceil(waiting.length / MOST_TURNS));
  for (let first = 0; first < waiting.length; first += perTurn) {
    if (first > 0) await sleep(TURN_MS);
    for (const each of waiting.slice(first, first + perTurn)) end(each);
  }
}
