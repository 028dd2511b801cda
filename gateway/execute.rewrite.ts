import type { FetchDataRewrite } from '@apollo/query-planner';
import { isRow, type Row, reader, write } from './execute.row.js';
import type { TypeConditions } from './execute.types.js';

/** Changes the data of one fetch in place. */
export type Rewrite = (data: unknown) => void;

/** Begins an element of a rewrite's path that is a type, not a name. */
export const CONDITION = '... on ';

/**
 * Compiles what the planner wants changed: before a fetch in its representations (another `__typename` where the
 * subgraph knows the type as an interface object), after it in its answer (aliases that the planner made up where
 * subgraphs disagree about a type).
 */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeConditions,
): Rewrite | null {
  if (!rewrites?.length) return null;
  const compiled = rewrites.map((rewrite) => compileRewrite(rewrite, types));
  return (data) => {
    for (const rewrite of compiled) rewrite(data);
  };
}

function compileRewrite(rewrite: FetchDataRewrite, types: TypeConditions): Rewrite {
  const last = rewrite.path.at(-1) ?? '';
  const change = rewrite.kind === 'ValueSetter' ? setter(last, rewrite.setValueTo) : renamer(last, rewrite.renameKeyTo);
  return rewrite.path.slice(0, -1).reduceRight<Rewrite>((inner, element) => descend(element, inner, types), change);
}

function setter(name: string, value: unknown): Rewrite {
  return (data) => onRows(data, (row) => write(row, name, value));
}

function renamer(from: string, to: string): Rewrite {
  return (data) =>
    onRows(data, (row) => {
      if (!Object.hasOwn(row, from)) return;
      write(row, to, row[from]);
      delete row[from];
    });
}

function descend(element: string, inner: Rewrite, types: TypeConditions): Rewrite {
  if (element.startsWith(CONDITION)) {
    const condition = element.slice(CONDITION.length);
    return (data) =>
      onRows(data, (row) => {
        const { __typename: typename } = row;
        // Where a subgraph was not asked for the type it can only be the one.
        if (typeof typename !== 'string' || types.applies(condition, typename)) inner(row);
      });
  }
  const read = reader(element);
  return (data) => onRows(data, (row) => inner(read(row)));
}

function onRows(data: unknown, change: (row: Row) => void): void {
  if (Array.isArray(data)) for (const element of data) onRows(element, change);
  else if (isRow(data)) change(data);
}

/**
 * The name that a response name in a subgraph's error path has in the answer. Only renamed keys differ; they are
 * unique within a fetch.
 */
export function renamedKeys(rewrites: readonly FetchDataRewrite[] | undefined): ReadonlyMap<string, string> {
  const renamers = (rewrites ?? []).filter((rewrite) => rewrite.kind === 'KeyRenamer');
  return new Map(renamers.map(({ path, renameKeyTo }) => [path.at(-1) ?? '', renameKeyTo]));
}
