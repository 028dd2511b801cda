import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  print,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Values } from './fetch.transport.js';

/** An operation under names of our own. */
export interface Naming {
  /** What is planned: the same operation, its fields named by what they are. */
  readonly document: DocumentNode;
  /** The name that a field of the client's operation has in what the fetches bring. */
  nameOf(field: FieldNode): string;
  /** The client's variables under the names that they have in what is planned. */
  variables(given: Values): Values;
}

/** A fetch of entities has a variable of the first name, one that asks by context (`@fromContext`) has such as the second. */
const TAKEN = /^(representations|contextualArgument_)/;

/**
 * Gives each field the name of what it is, instead of the one that the client chose. The planner adds keys and required
 * fields under their own names: a client's `id: name` beside them would ask for the wrong entity. Operations that
 * differ in aliases only share a plan.
 */
export function nameByContent(schema: GraphQLSchema, document: DocumentNode): Naming {
  const types = new TypeInfo(schema);
  const given = new Map<FieldNode, string>();
  const mutations = new Map<string, string>();
  const names = new Names(reservedNames(schema));
  const variables = variablesOf(document);
  const taken = [...variables]
    .filter((name) => TAKEN.test(name))
    .map((name) => [name, freeName(name, variables)] as const);
  const renamed = taken.length > 0 ? new Map(taken) : null;
  const named: DocumentNode = visit(
    document,
    visitWithTypeInfo(types, {
      Variable: ({ name }) => {
        const value = renamed?.get(name.value);
        return value ? { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value } } : undefined;
      },
      Field: (node) => {
        const field = types.getFieldDef();
        const plain = node.name.value;
        // Introspection is not planned.
        if (!field || plain.startsWith('__')) {
          given.set(node, plain);
          return { ...node, alias: undefined };
        }
        // A mutation that a client asks for under two names has its effect twice.
        const isMutation = types.getParentType() === schema.getMutationType();
        const asked = (node.alias ?? node.name).value;
        const name = names.nameFor(node, isMutation ? `${field.type} ${asked}` : String(field.type), field.args);
        given.set(node, name);
        if (isMutation) mutations.set(asked, name);
        return {
          ...node,
          alias: name === plain ? undefined : { kind: Kind.NAME, value: name },
          selectionSet: node.selectionSet && withCertainField(node.selectionSet),
        };
      },
    }),
  );
  return {
    document: named,
    nameOf: (field) => {
      const asked = (field.alias ?? field.name).value;
      // The root fields of a mutation were written anew.
      return given.get(field) ?? mutations.get(asked) ?? asked;
    },
    variables: (values) => (renamed ? withNames(values, renamed) : values),
  };
}

/** An object of which conditions leave nothing is an empty object, not null: something has to be asked of it. */
function withCertainField(set: SelectionSetNode): SelectionSetNode {
  const isCertain = set.selections.some(({ kind, directives }) => kind === Kind.FIELD && !directives?.length);
  if (isCertain) return set;
  return {
    ...set,
    selections: [...set.selections, { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
  };
}

function variablesOf({ definitions }: DocumentNode): ReadonlySet<string> {
  return new Set(
    definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
        : [],
    ),
  );
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) || TAKEN.test(name) ? freeName(`own_${name}`, taken) : name;
}

/** Under the other names too: nothing reads what has a name that the fetches take for themselves. */
function withNames(values: Values, names: ReadonlyMap<string, string>): Values {
  const given = [...names].filter(([name]) => Object.hasOwn(values, name));
  return { ...values, ...Object.fromEntries(given.map(([name, other]) => [other, values[name]])) };
}

class Names {
  private readonly byContent = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  constructor(private readonly reserved: ReadonlySet<string>) {}

  /** Equal for equal content. Fields with arguments always have a number: a subgraph may require them with others. */
  nameFor(
    { name: { value: plain }, arguments: given = [] }: FieldNode,
    kind: string,
    args: readonly unknown[],
  ): string {
    const content = `${plain}(${given.map(print).sort().join()}):${kind}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const count = this.counts.get(plain) ?? 0;
    this.counts.set(plain, count + 1);
    const name = count === 0 && args.length === 0 ? plain : this.numbered(plain, count);
    this.byContent.set(content, name);
    return name;
  }

  private numbered(plain: string, count: number): string {
    const name = `${plain}__${count}`;
    return this.reserved.has(name) ? this.numbered(`${plain}_`, count) : name;
  }
}

const reservedBySchema = new WeakMap<GraphQLSchema, ReadonlySet<string>>();

/** Fields that are called as we would call another. */
function reservedNames(schema: GraphQLSchema): ReadonlySet<string> {
  const known = reservedBySchema.get(schema);
  if (known) return known;
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) || isInterfaceType(type));
  const names = new Set(types.flatMap((type) => Object.keys(type.getFields())).filter((name) => /__\d+$/.test(name)));
  reservedBySchema.set(schema, names);
  return names;
}
