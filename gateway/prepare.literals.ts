import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  parseType,
  print,
  TypeInfo,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** An operation whose literals were lifted into variables: texts that differ in literals only share one. */
export interface LiftedOperation {
  readonly document: DocumentNode;
  /** The values of the variables that were added. */
  readonly literals: Readonly<Record<string, unknown>>;
}

/**
 * Lifts the literals of field arguments into variables. What stands in directives stays: plans depend on it. So does
 * what a variable could not say exactly, such as a number for a custom scalar.
 *
 * @param document one valid operation and its fragments
 */
export function liftLiterals(schema: GraphQLSchema, document: DocumentNode): LiftedOperation {
  const lifting = new Lifting(namesIn(document));
  const types = new TypeInfo(schema);
  const lifted: DocumentNode = visit(
    document,
    visitWithTypeInfo(types, {
      Directive: () => false,
      Argument: (node) => {
        const type = types.getInputType();
        const value = type && lifting.lift(node.value, type);
        return value && value !== node.value ? { ...node, value } : undefined;
      },
    }),
  );
  return { document: lifting.declareIn(lifted), literals: lifting.literals };
}

class Lifting {
  readonly literals: Record<string, unknown> = {};
  private readonly definitions: VariableDefinitionNode[] = [];
  /** Equal literals share a variable: two selections of one field would otherwise no longer be the same. */
  private readonly names = new Map<string, string>();

  constructor(private readonly taken: ReadonlySet<string>) {}

  lift(value: ValueNode, type: GraphQLInputType): ValueNode {
    const literal = constantOf(value, type);
    if (literal !== undefined) return this.variable(value, type, literal);
    const named = isNonNullType(type) ? type.ofType : type;
    // A variable somewhere inside: its neighbours are lifted one by one.
    if (value.kind === Kind.LIST && isListType(named))
      return { ...value, values: value.values.map((element) => this.lift(element, named.ofType)) };
    if (value.kind === Kind.OBJECT && isInputObjectType(named)) {
      const fields = named.getFields();
      return {
        ...value,
        fields: value.fields.map((field) => {
          const of = fields[field.name.value];
          return of ? { ...field, value: this.lift(field.value, of.type) } : field;
        }),
      };
    }
    return value;
  }

  declareIn(document: DocumentNode): DocumentNode {
    if (this.definitions.length === 0) return document;
    const withDefinitions = (operation: OperationDefinitionNode): OperationDefinitionNode => ({
      ...operation,
      variableDefinitions: [...(operation.variableDefinitions ?? []), ...this.definitions],
    });
    return {
      ...document,
      definitions: document.definitions.map((definition) =>
        definition.kind === Kind.OPERATION_DEFINITION ? withDefinitions(definition) : definition,
      ),
    };
  }

  private variable(value: ValueNode, type: GraphQLInputType, literal: unknown): ValueNode {
    const key = `${type} ${print(value)}`;
    const name = this.names.get(key) ?? this.declare(key, type, literal);
    return { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } };
  }

  private declare(key: string, type: GraphQLInputType, literal: unknown): string {
    let number = this.names.size;
    while (this.taken.has(`literal${number}`)) number += this.taken.size;
    const name = `literal${number}`;
    this.names.set(key, name);
    this.literals[name] = literal;
    this.definitions.push({
      kind: Kind.VARIABLE_DEFINITION,
      variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } },
      type: parseType(String(type), { noLocation: true }),
    });
    return name;
  }
}

function namesIn({ definitions }: DocumentNode): ReadonlySet<string> {
  return new Set(
    definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
        : [],
    ),
  );
}

/** The value as a variable would carry it; undefined where none could, or where there is nothing to gain. */
function constantOf(value: ValueNode, type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return constantOf(value, type.ofType);
  if (value.kind === Kind.VARIABLE || value.kind === Kind.NULL) return undefined;
  if (isListType(type)) {
    if (value.kind !== Kind.LIST) return constantOf(value, type.ofType);
    const elements = value.values.map((element) => constantOf(element, type.ofType));
    return elements.includes(undefined) ? undefined : elements;
  }
  if (isInputObjectType(type)) {
    if (value.kind !== Kind.OBJECT) return undefined;
    const known = type.getFields();
    const fields = value.fields.map(({ name, value: inner }) => {
      const of = known[name.value];
      return [name.value, of && constantOf(inner, of.type)] as const;
    });
    return fields.some(([, inner]) => inner === undefined) ? undefined : Object.fromEntries(fields);
  }
  if (isEnumType(type)) return value.kind === Kind.ENUM ? value.value : undefined;
  return scalarOf(value, type.name);
}

function scalarOf(value: ValueNode, type: string): unknown {
  switch (value.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
      return value.value;
    case Kind.INT:
      // The digits themselves: an id may have more of them than a number keeps.
      if (type === 'ID') return value.value;
      return type === 'Int' || type === 'Float' ? finite(value.value) : undefined;
    case Kind.FLOAT:
      return type === 'Float' ? finite(value.value) : undefined;
    default:
      return undefined;
  }
}

function finite(text: string): number | undefined {
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
