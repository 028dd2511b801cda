import type { QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { Rewrite } from './execute.rewrite.js';
import { isRow, mergeInto, type Row, reader, write } from './execute.row.js';
import type { TypeConditions } from './execute.types.js';

/**
 * What a subgraph must know of a row to find its entity, as JSON: equal entities have equal text. Null where the row
 * lacks a part of it, unless it was skipped: then what does not need that part is asked for all the same.
 */
export type Representing = (row: Row, skipped: boolean) => string | null;

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
  return (row, skipped) => {
    const representation: Row = {};
    // Nothing was selected from a row of another type.
    if (!select(row, representation, skipped) || typeof representation['__typename'] !== 'string') return null;
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
  const parts = names.map((name) => ({ opening: `${JSON.stringify(name)}:`, read: reader(name) }));
  return (row, skipped) => {
    const { __typename: typename } = row;
    if (typeof typename !== 'string' || !types.applies(condition, typename)) return null;
    let text = '';
    for (const { opening, read } of parts) {
      const value = read(row);
      if (value !== undefined) text += (text === '' ? '{' : ',') + opening + JSON.stringify(value);
      else if (!skipped) return null;
    }
    return `${text}}`;
  };
}

/** Copies a part of one row into another. False: the row lacks it. */
type Selecting = (from: Row, into: Row, skipped: boolean) => boolean;

function compileSelections(selections: readonly QueryPlanSelectionNode[], types: TypeConditions): Selecting {
  const parts = selections.map((selection) =>
    selection.kind === 'Field'
      ? compileField(selection, types)
      : compileFragment(selection.typeCondition, compileSelections(selection.selections, types), types),
  );
  const [only] = parts;
  if (only && parts.length === 1) return only;
  return (from, into, skipped) => {
    for (const select of parts) if (!select(from, into, skipped)) return false;
    return true;
  };
}

function compileFragment(condition: string | undefined, select: Selecting, types: TypeConditions): Selecting {
  if (!condition) return select;
  return (from, into, skipped) => {
    const { __typename: typename } = from;
    if (typeof typename !== 'string' || !types.applies(condition, typename)) return true;
    return select(from, into, skipped);
  };
}

function compileField({ name, alias, selections }: QueryPlanFieldNode, types: TypeConditions): Selecting {
  const responseName = alias ?? name;
  const read = reader(responseName);
  const select = selections ? compileSelections(selections, types) : null;
  return (from, into, skipped) => {
    const value = read(from);
    if (value === undefined) return skipped;
    const selected = select ? selectIn(value, select, skipped) : value;
    if (selected === undefined) return skipped;
    const known = into[responseName];
    // Two fragments may each select a part of the same object.
    if (isRow(known) && isRow(selected) && Object.hasOwn(into, responseName)) mergeInto(known, selected);
    else write(into, responseName, selected);
    return true;
  };
}

/** Undefined where a part is missing. */
function selectIn(value: unknown, select: Selecting, skipped: boolean): unknown {
  if (Array.isArray(value)) {
    const selected = value.map((element) => selectIn(element, select, skipped));
    return selected.includes(undefined) ? undefined : selected;
  }
  if (!isRow(value)) return value;
  const selected: Row = {};
  return select(value, selected, skipped) ? selected : undefined;
}
