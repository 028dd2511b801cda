import {
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import {
  conditionOf,
  fieldType,
  isIncluded,
  responseName,
  type Variables,
  withDefaults,
} from './admission.selections.js';

/** An operation, and the selections of it that an asker may not have. */
export interface Refusal {
  readonly full: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly refused: ReadonlySet<SelectionNode>;
}

/** Selections, and whether they stand in something that the asker may not have. */
interface Selections {
  readonly set: SelectionSetNode;
  readonly lost: boolean;
}

interface Selected {
  readonly node: FieldNode;
  readonly lost: boolean;
}

type Path = readonly (string | number)[];
type Data = Readonly<Record<string, unknown>>;

export interface CompletionOptions extends Refusal {
  /** Fields of which nothing was left, so that they were not asked for. */
  readonly emptied: ReadonlySet<FieldNode>;
  /** The response name under which the type of an object was asked for. */
  readonly typename: string;
}

/** Gives the result of a restricted operation the shape of the one that was asked for. */
export class Completion {
  constructor(private readonly options: CompletionOptions) {}

  complete(result: ExecutionResult, variables: Variables): ExecutionResult {
    const { full, operation } = this.options;
    const root = full.getRootType(operation.operation);
    // Nothing was answered, and why is among the errors.
    if (!root || result.data === null || (result.data === undefined && result.errors)) return result;
    const pass = new Pass(this.options, withDefaults(operation, variables));
    const selections = [{ set: operation.selectionSet, lost: false }];
    const data = pass.object(selections, root, (result.data ?? {}) as Data, []);
    const errors = [...(result.errors ?? []), ...pass.errors()];
    return { ...result, data, ...(errors.length > 0 && { errors }) };
  }
}

class Pass {
  private readonly unauthorized = new Map<string, GraphQLError>();

  constructor(
    private readonly options: CompletionOptions,
    private readonly variables: Variables,
  ) {}

  errors(): GraphQLError[] {
    return [...this.unauthorized.values()];
  }

  /** Null when a field that may not be null is. */
  object(selections: readonly Selections[], type: GraphQLObjectType, data: Data, path: Path): Data | null {
    // Clients choose these names: `__proto__` must be one as any other.
    const completed: Record<string, unknown> = Object.create(null);
    for (const [key, selected] of this.collect(selections, type)) {
      const [first] = selected;
      const output = first && fieldType(type, first.node);
      if (!output) completed[key] = first?.node.name.value === '__typename' ? type.name : data[key];
      else {
        const value = this.field(selected, output, data[key], [...path, key]);
        if (value === null && isNonNullType(output)) return null;
        completed[key] = value;
      }
    }
    return completed;
  }

  private field(selected: readonly Selected[], type: GraphQLOutputType, value: unknown, path: Path): unknown {
    const { emptied } = this.options;
    if (selected.some((each) => !this.isLost(each) && !emptied.has(each.node))) {
      const selections = selected.flatMap((each) =>
        each.node.selectionSet ? [{ set: each.node.selectionSet, lost: this.isLost(each) }] : [],
      );
      return this.value(selections, type, value, path);
    }
    const places = selected.some((each) => this.isLost(each)) ? [path] : this.placesBelow(selected, type, path);
    for (const place of places) this.refuse(place);
    return null;
  }

  private value(selections: readonly Selections[], type: GraphQLOutputType, value: unknown, path: Path): unknown {
    const nullable = getNullableType(type);
    if (value === null || value === undefined) return null;
    if (isListType(nullable)) {
      if (!Array.isArray(value)) return value;
      return this.items(selections, nullable.ofType, value, path);
    }
    if (!isCompositeType(nullable)) return value;
    const data = value as Data;
    return this.object(selections, this.typeOf(nullable, data), data, path);
  }

  private items(selections: readonly Selections[], type: GraphQLOutputType, values: readonly unknown[], path: Path) {
    const items: unknown[] = [];
    for (const [n, value] of values.entries()) {
      const item = this.value(selections, type, value, [...path, n]);
      // The rest of the list is not there to have errors.
      if (item === null && isNonNullType(type)) return null;
      items.push(item);
    }
    return items;
  }

  private typeOf(type: GraphQLNamedType, data: Data): GraphQLObjectType {
    const { full, typename } = this.options;
    const found = isAbstractType(type) ? full.getType(String(data[typename])) : type;
    if (!isObjectType(found)) throw new Error(`an answer for ${type.name} does not say what it is`);
    return found;
  }

  /** The fields of an object by response name, as graphql-js merges them. */
  private collect(selections: readonly Selections[], type: GraphQLObjectType): Map<string, Selected[]> {
    const { full, fragments, refused } = this.options;
    const fields = new Map<string, Selected[]>();
    const seen = new Set<string>();
    const add = ({ set, lost }: Selections): void => {
      for (const node of set.selections) {
        if (!isIncluded(node, this.variables)) continue;
        if (node.kind === Kind.FIELD) {
          const key = responseName(node);
          fields.set(key, [...(fields.get(key) ?? []), { node, lost }]);
          continue;
        }
        const isLost = lost || refused.has(node);
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        if (!fragment) continue;
        const condition = conditionOf(this.options.full, fragment) ?? type;
        if (condition !== type && !(isAbstractType(condition) && full.isSubType(condition, type))) continue;
        if (node.kind === Kind.FRAGMENT_SPREAD) {
          const once = `${node.name.value} ${isLost}`;
          if (seen.has(once)) continue;
          seen.add(once);
        }
        add({ set: fragment.selectionSet, lost: isLost });
      }
    };
    for (const each of selections) add(each);
    return fields;
  }

  /**
   * Where the removed fields would have stood in a field of which nothing was left to ask. It was not fetched: nobody
   * knows how many items a list has, so below one there is no place.
   */
  private placesBelow(selected: readonly Selected[], type: GraphQLOutputType, path: Path): readonly Path[] {
    if (isListType(getNullableType(type))) return [path];
    const sets = selected.flatMap(({ node }) => node.selectionSet ?? []);
    const places = sets.flatMap((set) => this.placesIn(set, getNamedType(type), false, path));
    return places.length > 0 ? places : [path];
  }

  private placesIn(set: SelectionSetNode, type: GraphQLNamedType, lost: boolean, path: Path): readonly Path[] {
    return set.selections.flatMap((node) => {
      if (!isIncluded(node, this.variables)) return [];
      if (node.kind !== Kind.FIELD) {
        const { fragments, refused } = this.options;
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        if (!fragment) return [];
        const condition = conditionOf(this.options.full, fragment) ?? type;
        return this.placesIn(fragment.selectionSet, condition, lost || refused.has(node), path);
      }
      const output = fieldType(type, node);
      const at = [...path, responseName(node)];
      if (!output) return [];
      return this.isLost({ node, lost }) ? [at] : this.placesBelow([{ node, lost }], output, at);
    });
  }

  private isLost({ node, lost }: Selected): boolean {
    return lost || this.options.refused.has(node);
  }

  private refuse(path: Path): void {
    const extensions = { code: 'UNAUTHORIZED_FIELD_OR_TYPE' };
    const error = new GraphQLError('You may not have this field.', { path: [...path], extensions });
    this.unauthorized.set(JSON.stringify(path), error);
  }
}
