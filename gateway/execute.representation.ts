import type { QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { Rewrite } from './execute.rewrite.js';
import { isRow, mergeInto, type Row, reader, write } from './execute.row.js';
import type { TypeConditions } from './execute.types.js';

/**
 * What a subgraph must know of a row to find its entity, as JSON: equal entities have equal text. Null where the row
 * lacks a part of it.
 */
export type Representing = (row: Row) => string | null;

/**
 * Compiles a fetch's `requires`: the keys, `__typename`, and what `@requires` names.
 * @param rewrite changes each representation before it is sent
 */
export function compileRepresentation(
  selections: readonly QueryPlanSelectionNode[],
  types: TypeConditions,
  rewrite: Rewrite | null,
): Representing {
  const [only] = selections;
  const leaves = only && selections.length === 1 && !rewrite ? leavesOf(only) : null;
  if (leaves && only?.kind === 'InlineFragment') return writeLeaves(only.typeCondition ?? '', leaves, types);
  const select = compileSelections(selections, types);
  return (row) => {
    const representation: Row = {};
    // Nothing was selected from a row of another type.
    if (!select(row, representation) || typeof representation['__typename'] !== 'string') return null;
    rewrite?.(representation);
    return JSON.stringify(representation);
  };
}

/** The names of a fragment that selects nothing deeper. */
function leavesOf(fragment: QueryPlanSelectionNode): string[] | null {
  if (fragment.kind !== 'InlineFragment' || !fragment.typeCondition) return null;
  const names: string[] = [];
  for (const selection of fragment.selections) {
    if (selection.kind !== 'Field' || selection.selections) return null;
    names.push(selection.alias ?? selection.name);
  }
  return names.includes('__typename') ? names : null;
}

/** One type's key: by far the most frequent, and there may be thousands in an answer. No object is made for it. */
function writeLeaves(condition: string, names: readonly string[], types: TypeConditions): Representing {
  const parts = names.map((name, index) => ({
    opening: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    read: reader(name),
  }));
  return (row) => {
    const { __typename: typename } = row;
    if (typeof typename !== 'string' || !types.applies(condition, typename)) return null;
    let text = '';
    for (const { opening, read } of parts) {
      const value = read(row);
      if (value === undefined) return null;
      text += opening + JSON.stringify(value);
    }
    return `${text}}`;
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
