import type { FetchDataKeyRenamer, PlanNode } from '@apollo/query-planner';
import { type PlanPath, trailsTo } from './execute.place.js';
import { CONDITION } from './execute.rewrite.js';
import { isRow, type Row, reader } from './execute.row.js';
import type { Run, Step } from './execute.step.js';
import type { TypeConditions } from './execute.types.js';
import type { Values } from './fetch.transport.js';

/** An element of a path that leads upwards. */
export const ABOVE = '..';

// One request must leave room for others in what a subgraph is asked at once, also where each is a call of its own.
const MOST_AT_ONCE = 100;

/** Whether a part of a plan asks for fields by what stands above them (`@fromContext`). */
export function hasContexts(node: PlanNode | undefined): boolean {
  switch (node?.kind) {
    case 'Sequence':
    case 'Parallel':
      return node.nodes.some(hasContexts);
    case 'Flatten':
      return hasContexts(node.node);
    case 'Condition':
      return hasContexts(node.ifClause) || hasContexts(node.elseClause);
    case 'Fetch':
      return Boolean(node.contextRewrites?.length);
    default:
      return false;
  }
}

/**
 * Takes a step where a path leads, once for the rows of each context: an entity may stand in several places, and the
 * same field of it is another one in each. What a context says is a variable of the step's fetch, so that neither what
 * is under way nor what is kept is ever taken for what was asked in another context.
 * @param rewrites say how far above a row a value may stand, on what type, and which variable it is:
 * `['..', '... on Country', 'currency']`
 * @throws Error for a value that would stand above the answer
 */
export function inContexts(
  path: PlanPath,
  rewrites: readonly FetchDataKeyRenamer[],
  types: TypeConditions,
  step: Step,
): Step {
  const divide = compileContexts(path, rewrites, types);
  return async (run, cursor) => {
    const at = [...cursor.path, ...path];
    const known = [...run.errors];
    const contexts = divide(cursor.rows, known.length === 0);
    const rest = contexts.values();
    const takeAll = async () => {
      for (const { values, rows, among } of rest) {
        // Of errors in one context those that are asked later know nothing: what they miss was skipped all the same.
        const own: Run = { ...run, errors: [...known], variables: { ...run.variables, ...values } };
        await step(own, { path: at, rows, among });
        run.errors.push(...own.errors.slice(known.length));
      }
    };
    await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, contexts.length) }, takeAll));
  };
}

/** Rows about which a fetch asks with equal arguments. */
interface InContext {
  /** The arguments that come from above the rows, by the names of their variables. */
  readonly values: Values;
  readonly rows: Row[];
  /** Which they are of all to which the path leads. */
  readonly among: number[];
}

/** Divides rows; `isWhole`: nothing failed before, so that what is missing was skipped. */
type Division = (rows: readonly Row[], isWhole: boolean) => InContext[];

function compileContexts(path: PlanPath, rewrites: readonly FetchDataKeyRenamer[], types: TypeConditions): Division {
  const trailsOf = trailsTo(path);
  const levels = path.filter((name) => name !== '@').length;
  const names = [...new Set(rewrites.map(({ renameKeyTo }) => renameKeyTo))];
  const readings = names.map((name) =>
    nearest(
      rewrites.filter(({ renameKeyTo }) => renameKeyTo === name).map((it) => compilePlace(it.path, levels, types)),
    ),
  );
  return (rows, isWhole) => {
    const contexts = new Map<string, InContext>();
    for (const [position, trail] of trailsOf(rows).entries()) {
      const found = readings.map((read) => read(trail));
      // Asked for without it, the field would be another one.
      if (!isWhole && found.includes(undefined)) continue;
      const key = JSON.stringify(found);
      const context = contexts.get(key) ?? { values: valuesOf(names, found), rows: [], among: [] };
      contexts.set(key, context);
      context.rows.push(...trail.slice(-1));
      context.among.push(position);
    }
    return [...contexts.values()];
  };
}

/** Also of what nobody has: the client's variables must not stand in for it. */
function valuesOf(names: readonly string[], found: readonly unknown[]): Values {
  return Object.fromEntries(names.map((name, index) => [name, found[index] ?? null]));
}

/** From a row and those above it; null where none of them is of a type that says it, undefined where one lacks it. */
type Reading = (trail: readonly Row[]) => unknown;

interface ContextPlace {
  /** How far above the row. */
  readonly up: number;
  readonly isHere: (row: Row) => boolean;
  readonly read: (row: Row) => unknown;
}

/** As the specification has it: of several above a row the nearest counts. */
function nearest(places: readonly ContextPlace[]): Reading {
  const outward = places.toSorted((left, right) => left.up - right.up);
  return (trail) => {
    for (const { up, isHere, read } of outward) {
      const row = trail[trail.length - 1 - up];
      if (row && isHere(row)) return read(row);
    }
    return null;
  };
}

function compilePlace(path: readonly string[], levels: number, types: TypeConditions): ContextPlace {
  const up = path.findIndex((element) => element !== ABOVE);
  if (up < 1 || up > levels) throw new Error(`there is no context at ${path.join('/')}`);
  const [first = '', ...inner] = path.slice(up);
  // The query type itself has no condition.
  if (!first.startsWith(CONDITION)) return { up, isHere: () => true, read: compileRead([first, ...inner]) };
  const condition = first.slice(CONDITION.length);
  return {
    up,
    // Where a subgraph was not asked for the type it can only be the one.
    isHere: ({ __typename: typename }) => typeof typename !== 'string' || types.applies(condition, typename),
    read: compileRead(inner),
  };
}

/** Of a list, what each of its elements has. */
function compileRead(names: readonly string[]): (row: Row) => unknown {
  const readers = names.map(reader);
  const read = (value: unknown, depth: number): unknown => {
    if (Array.isArray(value)) {
      const found = value.map((element) => read(element, depth));
      return found.includes(undefined) ? undefined : found;
    }
    const next = readers[depth];
    return next && isRow(value) ? read(next(value), depth + 1) : value;
  };
  return (row) => read(row, 0);
}
