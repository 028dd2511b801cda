import type { FetchDataKeyRenamer, FetchNode, PlanNode } from '@apollo/query-planner';
import { Kind, parse, type SelectionSetNode } from 'graphql';
import { ABOVE } from './execute.context.js';
import type { PlanPath } from './execute.place.js';
import { CONDITION } from './execute.rewrite.js';

/**
 * A plan in which whatever is asked by a context (`@fromContext`) comes after what brings the context. The planner makes
 * a fetch wait for what leads to its rows; where another fetch brings what stands above them, it lets the two run beside
 * each other, and the one that is asked by the other's value would not find it.
 */
export function contextsInOrder(node: PlanNode): PlanNode {
  switch (node.kind) {
    case 'Sequence':
      return { ...node, nodes: node.nodes.map(contextsInOrder) };
    case 'Parallel':
      return parallelInOrder(node.nodes.map(contextsInOrder));
    case 'Condition': {
      const { ifClause, elseClause } = node;
      return {
        ...node,
        ifClause: ifClause && contextsInOrder(ifClause),
        elseClause: elseClause && contextsInOrder(elseClause),
      };
    }
    default:
      return node;
  }
}

function parallelInOrder(nodes: readonly PlanNode[]): PlanNode {
  const halves = nodes.map((node) => {
    const beside = nodes.filter((other) => other !== node).flatMap((other) => fetchesIn(other));
    return split(node, (fetch) => needsOf(fetch).some((need) => beside.some((other) => brings(other, need))));
  });
  const early = halves.flatMap((half) => half.early ?? []);
  const late = halves.flatMap((half) => half.late ?? []);
  const all: PlanNode = { kind: 'Parallel', nodes: [...nodes] };
  // Those that wait for each other find nothing in any order.
  if (early.length === 0 || late.length === 0) return all;
  return { kind: 'Sequence', nodes: [{ kind: 'Parallel', nodes: early }, parallelInOrder(late)] };
}

/** A fetch where its rows are. */
interface PlacedFetch {
  readonly path: PlanPath;
  readonly fetch: FetchNode;
}

function fetchesIn(node: PlanNode | undefined, path: PlanPath = []): PlacedFetch[] {
  switch (node?.kind) {
    case 'Fetch':
      return [{ path, fetch: node }];
    case 'Flatten':
      return fetchesIn(node.node, node.path.map(String));
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap((each) => fetchesIn(each, path));
    case 'Condition':
      return [...fetchesIn(node.ifClause, path), ...fetchesIn(node.elseClause, path)];
    default:
      return [];
  }
}

/** What of a plan need not wait, and what must, with all that comes after it. */
interface Halves {
  readonly early?: PlanNode;
  readonly late?: PlanNode;
}

function split(node: PlanNode, isHeld: (fetch: PlacedFetch) => boolean): Halves {
  switch (node.kind) {
    case 'Sequence': {
      for (const [index, each] of node.nodes.entries()) {
        const { early, late } = split(each, isHeld);
        if (!late) continue;
        const before = early ? [...node.nodes.slice(0, index), early] : node.nodes.slice(0, index);
        return {
          ...(before.length > 0 && { early: { ...node, nodes: before } }),
          late: { ...node, nodes: [late, ...node.nodes.slice(index + 1)] },
        };
      }
      return { early: node };
    }
    case 'Parallel': {
      const halves = node.nodes.map((each) => split(each, isHeld));
      const early = halves.flatMap((half) => half.early ?? []);
      const late = halves.flatMap((half) => half.late ?? []);
      return {
        ...(early.length > 0 && { early: { ...node, nodes: early } }),
        ...(late.length > 0 && { late: { ...node, nodes: late } }),
      };
    }
    case 'Condition': {
      const met = node.ifClause ? split(node.ifClause, isHeld) : {};
      const unmet = node.elseClause ? split(node.elseClause, isHeld) : {};
      const half = (ifClause?: PlanNode, elseClause?: PlanNode): PlanNode | undefined =>
        ifClause || elseClause ? { ...node, ifClause, elseClause } : undefined;
      return { early: half(met.early, unmet.early), late: half(met.late, unmet.late) };
    }
    default:
      return fetchesIn(node).some(isHeld) ? { late: node } : { early: node };
  }
}

/** A value that stands above the rows of a fetch. */
interface Need {
  readonly path: PlanPath;
  /** What is read there. */
  readonly names: readonly string[];
}

function needsOf({ path, fetch }: PlacedFetch): Need[] {
  return (fetch.contextRewrites ?? []).map((rewrite) => needOf(path, rewrite));
}

function needOf(path: PlanPath, { path: relative }: FetchDataKeyRenamer): Need {
  const up = relative.filter((element) => element === ABOVE).length;
  const names = [...path.entries()].filter(([, name]) => name !== '@');
  const [end = 0] = names[names.length - up] ?? [];
  return {
    path: path.slice(0, end),
    names: relative.filter((element) => element !== ABOVE && !element.startsWith(CONDITION)),
  };
}

/** Whether a fetch selects it, of whatever type: to wait in vain is no mistake. */
function brings({ path, fetch }: PlacedFetch, need: Need): boolean {
  if (!path.every((name, depth) => need.path[depth] === name)) return false;
  const names = [...need.path.slice(path.length).filter((name) => name !== '@'), ...need.names];
  const [operation] = parse(fetch.operation, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return false;
  return selects(operation.selectionSet, fetch.requires ? ['_entities', ...names] : names);
}

/** The planner writes fragments out. */
function selects(set: SelectionSetNode | undefined, [name, ...inner]: readonly string[]): boolean {
  if (name === undefined || !set) return name === undefined;
  return set.selections.some((selection) => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return false;
    if (selection.kind === Kind.INLINE_FRAGMENT) return selects(selection.selectionSet, [name, ...inner]);
    // It may be renamed when it has been answered.
    return [selection.alias?.value, selection.name.value].includes(name) && selects(selection.selectionSet, inner);
  });
}
