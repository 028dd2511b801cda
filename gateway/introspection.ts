import {
  type DocumentNode,
  execute,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
} from 'graphql';
import type { Row } from './execute.row.js';

/** Answers the part of a query that asks about the schema itself: graphql-js does, over the schema that clients see. */
export type Introspection = (variables: Readonly<Record<string, unknown>>) => Row;

/** Null where an operation does not ask about the schema. */
export function compileIntrospection(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Introspection | null {
  if (operation.operation !== 'query') return null;
  const selections = introspecting(operation.selectionSet.selections, fragments, new Set());
  if (selections.length === 0) return null;
  const root: OperationDefinitionNode = { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections } };
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [root, ...fragments.values()] };
  let known: Row | null = null;
  return (variableValues) => {
    if (known) return known;
    const result = execute({ schema, document, variableValues });
    if (result instanceof Promise || !result.data) throw new Error('the schema could not be introspected');
    if (!operation.variableDefinitions?.length) known = result.data;
    return result.data;
  };
}

/** What is left of a selection on the query type. Fragments are written out: elsewhere they may select more. */
function introspecting(
  selections: readonly SelectionNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  within: ReadonlySet<string>,
): SelectionNode[] {
  return selections.flatMap((selection): SelectionNode[] => {
    if (selection.kind === Kind.FIELD)
      return selection.name.value === '__schema' || selection.name.value === '__type' ? [selection] : [];
    const name = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : null;
    const set = name === null ? selectionSetOf(selection) : fragments.get(name)?.selectionSet;
    if (!set || (name !== null && within.has(name))) return [];
    const inner = introspecting(set.selections, fragments, name === null ? within : new Set([...within, name]));
    if (inner.length === 0) return [];
    const selectionSet = { kind: Kind.SELECTION_SET, selections: inner } as const;
    return [{ kind: Kind.INLINE_FRAGMENT, directives: selection.directives, selectionSet }];
  });
}

function selectionSetOf(selection: SelectionNode) {
  return 'selectionSet' in selection ? selection.selectionSet : undefined;
}
