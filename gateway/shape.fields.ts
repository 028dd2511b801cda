import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** Response name → the field's selections, in the order in which the answer has them. */
export type CollectedFields = ReadonlyMap<string, readonly FieldNode[]>;

/** What an object of an answer is known to be: an interface where only a subgraph that adds fields to it was asked. */
export type RowType = GraphQLObjectType | GraphQLInterfaceType;

/** CollectFields of the GraphQL specification, for one operation and known values of its conditions. */
export class FieldCollection {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Fragments,
    private readonly conditions: Readonly<Record<string, unknown>>,
  ) {}

  collect(type: RowType, selectionSets: readonly SelectionSetNode[]): CollectedFields {
    const fields = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const { selections } of selectionSets) this.add(type, selections, fields, visited);
    return fields;
  }

  private add(
    type: RowType,
    selections: readonly SelectionNode[],
    fields: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (!isIncluded(selection, this.conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        const same = fields.get(name);
        if (same) same.push(selection);
        else fields.set(name, [selection]);
        continue;
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.spread(selection.name.value, visited) : selection;
      if (fragment && this.applies(fragment.typeCondition?.name.value, type))
        this.add(type, fragment.selectionSet.selections, fields, visited);
    }
  }

  private spread(name: string, visited: Set<string>): FragmentDefinitionNode | undefined {
    if (visited.has(name)) return undefined;
    visited.add(name);
    return this.fragments.get(name);
  }

  private applies(condition: string | undefined, type: RowType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wider = this.schema.getType(condition);
    return isAbstractType(wider) && this.schema.isSubType(wider, type);
  }
}

function isIncluded({ directives = [] }: SelectionNode, conditions: Readonly<Record<string, unknown>>): boolean {
  for (const { name, arguments: args = [] } of directives) {
    if (name.value !== 'skip' && name.value !== 'include') continue;
    const condition = args.find((argument) => argument.name.value === 'if')?.value;
    const holds =
      condition?.kind === Kind.VARIABLE
        ? conditions[condition.name.value] === true
        : condition?.kind === Kind.BOOLEAN && condition.value;
    if (holds === (name.value === 'skip')) return false;
  }
  return true;
}

/** The variables on which `@skip` and `@include` of a document depend, in a fixed order. */
export function conditionVariables(selectionSets: readonly SelectionSetNode[]): string[] {
  const names = new Set<string>();
  const visit = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      for (const { name, arguments: args = [] } of selection.directives ?? [])
        if (name.value === 'skip' || name.value === 'include')
          for (const { value } of args) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet) visit(selection.selectionSet);
    }
  };
  for (const set of selectionSets) visit(set);
  return [...names].sort();
}
