import { isRow, type Row, reader } from './execute.row.js';

/** A place in an answer: response names and list indexes. */
export type Place = readonly (string | number)[];

/** A path of a plan: response names, and `@` for every element of a list. */
export type PlanPath = readonly string[];

/** The rows where a plan's path leads, in the order of the answer. */
export interface Cursor {
  readonly path: PlanPath;
  readonly rows: readonly Row[];
  /** Which they are of all to which the path leads; missing where they are all. */
  readonly among?: readonly number[];
}

type Reader = (row: Row) => unknown;

/** Compiles a plan's path into a function that collects the rows it leads to. */
export function collector(path: PlanPath): (rows: readonly Row[]) => Row[] {
  const readers = readersOf(path);
  return (rows) => {
    const found: Row[] = [];
    for (const row of rows) collect(row, readers, 0, found);
    return found;
  };
}

/** `null` stands for `@`. */
function readersOf(path: PlanPath): (Reader | null)[] {
  return path.map((name) => (name === '@' ? null : reader(name)));
}

function collect(value: unknown, readers: readonly (Reader | null)[], depth: number, found: Row[]): void {
  if (Array.isArray(value)) {
    const next = readers[depth] === null ? depth + 1 : depth;
    for (const element of value) collect(element, readers, next, found);
  } else if (isRow(value)) {
    const read = readers[depth];
    if (read) collect(read(value), readers, depth + 1, found);
    // A path that expects a list where there is a row ends here: the subgraph answered something else.
    else if (read === undefined) found.push(value);
  }
}

/** The same rows in the same order, each at the end of those that the path passes on its way to it. */
export function trailsTo(path: PlanPath): (rows: readonly Row[]) => Row[][] {
  const readers = readersOf(path);
  const follow = (value: unknown, depth: number, above: Row[], found: Row[][]): void => {
    if (Array.isArray(value)) {
      const next = readers[depth] === null ? depth + 1 : depth;
      for (const element of value) follow(element, next, above, found);
    } else if (isRow(value)) {
      const read = readers[depth];
      if (read) follow(read(value), depth + 1, [...above, value], found);
      else if (read === undefined) found.push([...above, value]);
    }
  };
  return (rows) => {
    const found: Row[][] = [];
    for (const row of rows) follow(row, 0, [], found);
    return found;
  };
}

/** The places of the same rows in the same order. Only looked for when there is an error to be placed. */
function placesOf(root: Row, path: PlanPath): Place[] {
  const readers = readersOf(path);
  const places: Place[] = [];
  const visit = (value: unknown, depth: number, place: Place): void => {
    if (Array.isArray(value)) {
      const next = readers[depth] === null ? depth + 1 : depth;
      for (const [index, element] of value.entries()) visit(element, next, [...place, index]);
    } else if (isRow(value)) {
      const read = readers[depth];
      if (read) visit(read(value), depth + 1, [...place, path[depth] ?? '']);
      else if (read === undefined) places.push(place);
    }
  };
  visit(root, 0, []);
  return places;
}

/** The places of a cursor's rows. */
export function placesAt(root: Row, { path, among }: Cursor): Place[] {
  const places = placesOf(root, path);
  return among ? among.map((position) => places[position] ?? []) : places;
}

/** How far a path leads to one place only. */
export function certainPart(path: PlanPath): PlanPath {
  const list = path.indexOf('@');
  return list < 0 ? path : path.slice(0, list);
}
