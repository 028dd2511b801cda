import type { QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { isRow, mergeInto, type Row, reader, write } from './execute.row.js';
import type { TypeConditions } from './execute.types.js';

/** What a subgraph must know of a row to find its entity: null where the row lacks a part of it. */
export type Representing = (row: Row) => Row | null;

/** Compiles a fetch's `requires`: the keys, `__typename`, and what `@requires` names. */
export function compileRepresentation(
  selections: readonly QueryPlanSelectionNode[],
  types: TypeConditions,
): Representing {
  const select = compileSelections(selections, types);
  return (row) => {
    const representation: Row = {};
    if (!select(row, representation)) return null;
    return typeof representation['__typename'] === 'string' ? representation : null;
  };
}

/** Copies a part of one row into another. False: the row lacks it. */
type Selecting = (from: Row, into: Row) => boolean;

function compileSelections(selections: readonly QueryPlanSelectionNode[], types: TypeConditions): Selecting {
  const parts = selections.map((selection) =>
    selection.kind === 'Field'
      ? compileField(selection, types)
      : compileFragment(selection.typeCondition, compileSelections(selection.selections, types), types),
  );
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return (from, into) => {
    for (const select of parts) if (!select(from, into)) return false;
    return true;
  };
}

function compileFragment(condition: string | undefined, select: Selecting, types: TypeConditions): Selecting {
  if (!condition) return select;
  return (from, into) => {
    const { __typename: typename } = from;
    if (typeof typename !== 'string' || !types.applies(condition, typename)) return true;
    return select(from, into);
  };
}

function compileField({ name, alias, selections }: QueryPlanFieldNode, types: TypeConditions): Selecting {
  const responseName = alias ?? name;
  const read = reader(responseName);
  const select = selections ? compileSelections(selections, types) : null;
  return (from, into) => {
    const value = read(from);
    if (value === undefined) return false;
    const selected = select ? selectIn(value, select) : value;
    if (selected === undefined) return false;
    const known = into[responseName];
    // Two fragments may each select a part of the same object.
    if (isRow(known) && isRow(selected) && Object.hasOwn(into, responseName)) mergeInto(known, selected);
    else write(into, responseName, selected);
    return true;
  };
}

/** Undefined where a part is missing. */
function selectIn(value: unknown, select: Selecting): unknown {
  if (Array.isArray(value)) {
    const selected = value.map((element) => selectIn(element, select));
    return selected.includes(undefined) ? undefined : selected;
  }
  if (!isRow(value)) return value;
  const selected: Row = {};
  return select(value, selected) ? selected : undefined;
}
