import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** One operation of a document, with the fragments that it reaches and nothing else. */
export interface SingleOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** @throws Error when there is no such operation */
export function singleOperation(document: DocumentNode, operationName: string | undefined): SingleOperation {
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('no such operation');
  const known = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) known.set(definition.name.value, definition);
  const fragments = new Map<string, FragmentDefinitionNode>();
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const name = selection.name.value;
        const fragment = known.get(name);
        if (!fragment || fragments.has(name)) continue;
        fragments.set(name, fragment);
        visit(fragment.selectionSet);
      } else if (selection.selectionSet) visit(selection.selectionSet);
    }
  };
  visit(operation.selectionSet);
  return { document: { kind: Kind.DOCUMENT, definitions: [operation, ...fragments.values()] }, operation, fragments };
}
