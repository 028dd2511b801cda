import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { Completion, type Refusal } from './admission.completion.js';
import { conditionOf, fieldType, responseName, type Variables } from './admission.selections.js';

/** What a principal may run of an operation. */
export interface AuthorizedOperation {
  /** What is left to plan and run: the very document that was asked for when it is all, null when it is nothing. */
  readonly document: DocumentNode | null;
  /** Tells apart what different askers are left with of one document: equal keys share a plan. Empty for all of it. */
  readonly key: string;
  readonly removed: readonly RemovedField[];
  /** The result of `document` with what was removed put back: nulls, as far up as the schema demands, and errors. */
  complete(result: ExecutionResult, variables: Variables): ExecutionResult;
}

/** A field that was taken out of an operation. */
export interface RemovedField {
  /** By response names; `@` stands for every item of a list. */
  readonly path: readonly string[];
  /** `Type.field` */
  readonly coordinate: string;
}

/** An operation of which nothing has to be removed. */
export function unrestricted(document: DocumentNode): AuthorizedOperation {
  return { document, key: '', removed: [], complete: (result) => result };
}

/** Takes the refused selections out of an operation. */
export function restrict({ key, ...refusal }: Refusal & { readonly key: string }): AuthorizedOperation {
  const filter = new Filter(refusal);
  const document = filter.document();
  const completion = new Completion({ ...refusal, emptied: filter.emptied, typename: filter.typename });
  let removed: readonly RemovedField[] | null = null;
  return {
    document,
    key,
    get removed() {
      removed ??= removedFields(refusal);
      return removed;
    },
    complete: (result, variables) => completion.complete(result, variables),
  };
}

class Filter {
  /** Fields of which nothing is left: they go too, as nothing can be asked of them. */
  readonly emptied = new Set<FieldNode>();
  /** The response name under which the type of an object is asked for, where several are possible. */
  readonly typename: string;
  private readonly kept = new Map<string, FragmentDefinitionNode | null>();

  constructor(private readonly refusal: Refusal) {
    this.typename = unusedName(refusal);
  }

  document(): DocumentNode | null {
    const { full, operation } = this.refusal;
    const root = full.getRootType(operation.operation);
    const selectionSet = root && this.selections(operation.selectionSet, root);
    if (!selectionSet) return null;
    const fragments = [...this.kept.values()].filter((fragment) => fragment !== null);
    return { kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet }, ...fragments] };
  }

  private selections(set: SelectionSetNode, type: GraphQLNamedType): SelectionSetNode | null {
    const selections = set.selections.flatMap((selection) =>
      this.refusal.refused.has(selection) ? [] : (this.selection(selection, type) ?? []),
    );
    return selections.length > 0 ? { ...set, selections } : null;
  }

  private selection(node: SelectionNode, parent: GraphQLNamedType): SelectionNode | null {
    if (node.kind === Kind.FRAGMENT_SPREAD) return this.fragment(node.name.value) ? node : null;
    if (node.kind === Kind.INLINE_FRAGMENT) {
      const selectionSet = this.selections(node.selectionSet, conditionOf(this.refusal.full, node) ?? parent);
      return selectionSet && { ...node, selectionSet };
    }
    const type = fieldType(parent, node);
    if (!node.selectionSet || !type) return node;
    const left = this.selections(node.selectionSet, getNamedType(type));
    if (!left) this.emptied.add(node);
    return left && { ...node, selectionSet: isAbstractType(getNamedType(type)) ? this.typed(left) : left };
  }

  private fragment(name: string): FragmentDefinitionNode | null {
    const known = this.kept.get(name);
    if (known !== undefined) return known;
    const fragment = this.refusal.fragments.get(name);
    const type = fragment && conditionOf(this.refusal.full, fragment);
    // Validation refuses a fragment within itself; until then it is nothing.
    this.kept.set(name, null);
    const selectionSet = type ? this.selections(fragment.selectionSet, type) : null;
    const kept = fragment && selectionSet ? { ...fragment, selectionSet } : null;
    this.kept.set(name, kept);
    return kept;
  }

  private typed(set: SelectionSetNode): SelectionSetNode {
    const alias = { kind: Kind.NAME, value: this.typename } as const;
    const name = { kind: Kind.NAME, value: '__typename' } as const;
    return { ...set, selections: [...set.selections, { kind: Kind.FIELD, alias, name }] };
  }
}

function unusedName({ operation, fragments }: Refusal): string {
  const names = new Set<string>();
  for (const node of [operation, ...fragments.values()]) visit(node, { Name: ({ value }) => void names.add(value) });
  let name = 'typename_';
  while (names.has(name)) name += '_';
  return name;
}

// The list is for logs and for people.
const MOST_REMOVED = 1_000;

function removedFields(refusal: Refusal): RemovedField[] {
  const { full, operation, refused, fragments } = refusal;
  const found = new Map<string, RemovedField>();
  const walk = (set: SelectionSetNode, type: GraphQLNamedType, path: readonly string[], lost: boolean): void => {
    for (const node of set.selections) {
      if (found.size >= MOST_REMOVED) return;
      const isLost = lost || refused.has(node);
      if (node.kind !== Kind.FIELD) {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        if (fragment) walk(fragment.selectionSet, conditionOf(full, fragment) ?? type, path, isLost);
        continue;
      }
      const output = fieldType(type, node);
      if (!output) continue;
      const at = [...path, responseName(node), ...listMarks(output)];
      const coordinate = `${type.name}.${node.name.value}`;
      if (isLost) found.set(`${at.join('/')} ${coordinate}`, { path: at, coordinate });
      else if (node.selectionSet) walk(node.selectionSet, getNamedType(output), at, false);
    }
  };
  const root = full.getRootType(operation.operation);
  if (root) walk(operation.selectionSet, root, [], false);
  return [...found.values()];
}

function listMarks(type: GraphQLOutputType): string[] {
  const nullable = getNullableType(type);
  return isListType(nullable) ? ['@', ...listMarks(nullable.ofType)] : [];
}
