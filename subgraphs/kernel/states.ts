import { InvariantViolation } from './error.js';

/** Which states may follow which: one table per noun, in its `.states.ts`. An empty list marks a final state. */
export type Transitions<State extends string> = Readonly<Record<State, readonly State[]>>;

/** Thrown when code tries a step that the table forbids. Callers check first; this is the last line of defence. */
export class ForbiddenTransition extends InvariantViolation {}

/** The next state. @throws ForbiddenTransition when the table has no such step */
export function step<State extends string>(table: Transitions<State>, from: State, to: State): State {
  if (!table[from].includes(to)) throw new ForbiddenTransition(`${from} may not become ${to}`);
  return to;
}

export function isFinal<State extends string>(table: Transitions<State>, state: State): boolean {
  return table[state].length === 0;
}
