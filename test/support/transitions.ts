import { expect } from '@jest/globals';
import { ForbiddenTransition, step, type Transitions } from '../../subgraphs/kernel/states.js';

/** Tries every pair of states: exactly the allowed steps are possible. `allowed` reads `FROM>TO`. */
export function expectOnly<State extends string>(
  table: Transitions<State>,
  allowed: readonly `${State}>${State}`[],
): void {
  const states = Object.keys(table) as State[];
  const possible = states.flatMap((from) =>
    states.filter((to) => isPossible(table, from, to)).map((to) => `${from}>${to}` as const),
  );
  expect(possible.sort()).toEqual([...allowed].sort());
  // The table names no state that it does not know.
  const listed = states.flatMap((from) => table[from].map((to) => `${from}>${to}` as const));
  expect(listed.sort()).toEqual([...allowed].sort());
}

function isPossible<State extends string>(table: Transitions<State>, from: State, to: State): boolean {
  try {
    return step(table, from, to) === to;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ForbiddenTransition);
    return false;
  }
}
