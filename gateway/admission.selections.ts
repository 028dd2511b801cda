import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type OperationDefinitionNode,
  type SelectionNode,
  valueFromASTUntyped,
} from 'graphql';

/** Variables as they came: not checked against their types, which is the executor's to do. */
export type Variables = Readonly<Record<string, unknown>>;

/** The variables of an operation with its own defaults where a request says nothing. */
export function withDefaults({ variableDefinitions = [] }: OperationDefinitionNode, variables: Variables): Variables {
  const defaults = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue && variables[variable.name.value] === undefined
      ? [[variable.name.value, valueFromASTUntyped(defaultValue)]]
      : [],
  );
  return defaults.length > 0 ? { ...variables, ...Object.fromEntries(defaults) } : variables;
}

/** Whether `@skip` and `@include` leave a selection in. */
export function isIncluded({ directives = [] }: SelectionNode, variables: Variables): boolean {
  return directives.every(({ name, arguments: given = [] }) => {
    if (name.value !== 'skip' && name.value !== 'include') return true;
    const condition = given.find((argument) => argument.name.value === 'if')?.value;
    const value = condition?.kind === Kind.VARIABLE ? variables[condition.name.value] : condition;
    const holds =
      typeof value === 'object' && value !== null ? 'value' in value && value.value === true : value === true;
    return name.value === 'include' ? holds : !holds;
  });
}

/** The name under which a field is answered. */
export function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

/** What a field returns; undefined for introspection and for what does not exist. */
export function fieldType(parent: GraphQLNamedType, { name }: FieldNode): GraphQLOutputType | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name.value]?.type : undefined;
}

/** The type that a fragment is about; undefined where it does not say or there is none of this name. */
export function conditionOf(
  schema: GraphQLSchema,
  { typeCondition }: { readonly typeCondition?: NamedTypeNode },
): GraphQLNamedType | undefined {
  return typeCondition && schema.getType(typeCondition.name.value);
}
