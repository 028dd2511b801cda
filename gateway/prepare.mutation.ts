import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { singleOperation } from './prepare.operation.js';

/** Of a mutation whose conditions never hold. */
const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** One mention of a root field, and the conditions under which it holds. */
interface Mention {
  readonly field: FieldNode;
  readonly conditions: readonly DirectiveNode[];
}

/**
 * Writes the root fields of a mutation out, each once and in the order of its first mention: the planner runs what
 * stands in fragments first, and a field that is mentioned again after another one twice.
 */
export function writeOutMutation(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): DocumentNode {
  const byName = new Map<string, Mention[]>();
  collect(operation.selectionSet.selections, [], fragments, byName);
  const selections = [...byName.values()].flatMap(writeOut);
  const selectionSet = {
    kind: Kind.SELECTION_SET,
    selections: selections.length > 0 ? selections : [TYPENAME],
  } as const;
  const written: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [{ ...operation, selectionSet }, ...fragments.values()],
  };
  // Without the fragments that are written out: the planner would put them back.
  return singleOperation(written, undefined).document;
}

function collect(
  selections: readonly SelectionNode[],
  within: readonly DirectiveNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  byName: Map<string, Mention[]>,
): void {
  for (const selection of selections) {
    const own = conditionsOf(selection);
    if (!own) continue;
    const conditions = [...within, ...own];
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value;
      byName.set(name, [...(byName.get(name) ?? []), { field: selection, conditions }]);
      continue;
    }
    const set = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
    if (set) collect(set.selectionSet.selections, conditions, fragments, byName);
  }
}

/** What only the variables can tell; null where it never holds. */
function conditionsOf({ directives = [] }: SelectionNode): readonly DirectiveNode[] | null {
  const open: DirectiveNode[] = [];
  for (const directive of directives) {
    const condition = directive.arguments?.find(({ name }) => name.value === 'if')?.value;
    if (condition?.kind !== Kind.BOOLEAN) open.push(directive);
    else if (condition.value === (directive.name.value === 'skip')) return null;
  }
  return open;
}

function writeOut(mentions: readonly Mention[]): readonly SelectionNode[] {
  const certain = mentions.find(({ conditions }) => conditions.length === 0);
  // Whether it runs at all depends on variables: each mention says when.
  if (!certain) return mentions.map(({ field, conditions }) => under(conditions, [{ ...field, directives: [] }]));
  if (mentions.length === 1 || !certain.field.selectionSet) return [{ ...certain.field, directives: [] }];
  const selections = mentions.flatMap(({ field, conditions }): readonly SelectionNode[] => {
    const inner = field.selectionSet?.selections ?? [];
    return conditions.length === 0 ? inner : [under(conditions, inner)];
  });
  const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections };
  return [{ ...certain.field, directives: [], selectionSet }];
}

/** A directive may stand only once at a place. */
function under(conditions: readonly DirectiveNode[], selections: readonly SelectionNode[]): SelectionNode {
  const [first, ...others] = conditions;
  const inner = others.length > 0 ? [under(others, selections)] : selections;
  return {
    kind: Kind.INLINE_FRAGMENT,
    directives: first ? [first] : [],
    selectionSet: { kind: Kind.SELECTION_SET, selections: inner },
  };
}
