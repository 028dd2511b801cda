import {
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
} from 'graphql';
import type { Place } from './execute.place.js';
import { isRow, type Row, reader } from './execute.row.js';
import { type CollectedFields, FieldCollection, type Fragments, type RowType } from './shape.fields.js';
import { leafOf } from './shape.leaf.js';
import { compilePlaces, type PlaceTranslation } from './shape.places.js';
import { Problems } from './shape.problems.js';

/** An object of the answer: no prototype, so that `__proto__` is a name like any other. */
const Answer = function Answer() {} as unknown as new () => Row;
Answer.prototype = Object.create(null);

/** One answer being made. */
interface Shaping {
  /** Where the value that is being looked at stands. */
  readonly place: (string | number)[];
  readonly problems: Problems;
  /** What graphql-js answered about the schema, by the client's names. */
  readonly introspected: Row | null;
}

/** Null in the place of a value that must not be null: what contains it becomes null too. */
const INVALID = Symbol('invalid');

/** Completes one value: the value as clients see it, null, or INVALID. */
type Completion = (value: unknown, shaping: Shaping) => unknown;

/** Makes a client's answer out of all that the fetches brought. */
export type Shape = (root: Row, introspected: Row | null, outcome: Outcome) => ShapedAnswer;

/** What went wrong meanwhile, at places of what the fetches brought. */
interface Outcome {
  readonly errors: readonly GraphQLError[];
  readonly lost: readonly Place[];
}

export interface ShapedAnswer {
  readonly data: Row | null;
  readonly errors: readonly GraphQLError[];
}

export interface ShapeInput {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Fragments;
  /** The name that a field has in what the fetches bring. */
  nameOf(field: FieldNode): string;
}

/**
 * Compiles an operation, for fixed values of its conditions, into a function that picks what was asked for, in the
 * order asked, and lets nulls propagate. Types and fragments are looked at here, once.
 *
 * @param conditions the variables of `@skip` and `@include`
 */
export function compileShape(
  { schema, operation, fragments, nameOf }: ShapeInput,
  conditions: Readonly<Record<string, unknown>>,
): Shape {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`the schema has no ${operation.operation}`);
  const fields = new FieldCollection(schema, fragments, conditions);
  const complete = new ShapeCompilation(schema, fields, nameOf).objectOf(root, [operation.selectionSet]);
  const translate = compilePlaces(schema, fields, nameOf, root, operation.selectionSet);
  return (data, introspected, { errors, lost }) => {
    const problems =
      errors.length === 0 ? new Problems([], []) : new Problems(placed(errors, translate), lost.flatMap(translate));
    const shaped = complete(data, { place: [], problems, introspected });
    return { data: shaped === INVALID ? null : (shaped as Row), errors: problems.errors };
  };
}

/** Each error at each place where the client reads it, once: several fetches may fail for one reason. */
function placed(errors: readonly GraphQLError[], translate: PlaceTranslation): GraphQLError[] {
  const known = new Set<string>();
  return errors.flatMap((error) => {
    const { message, path, extensions } = error;
    const own = path ? translate(path).map((place) => new GraphQLError(message, { path: place, extensions })) : [error];
    return own.filter((each) => {
      const key = JSON.stringify([each.path, message, extensions['code']]);
      return !known.has(key) && known.add(key);
    });
  });
}

interface FieldShape {
  readonly name: string;
  readonly read: (row: Row) => unknown;
  readonly complete: Completion;
}

class ShapeCompilation {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fields: FieldCollection,
    private readonly nameOf: ShapeInput['nameOf'],
  ) {}

  /** The fields of one object type. Compiled at first use: a union may have many that never come. */
  objectOf(type: RowType, selectionSets: Parameters<FieldCollection['collect']>[1]): Completion {
    let shapes: FieldShape[] | null = null;
    return (value, shaping) => {
      shapes ??= this.fieldsOf(type, this.fields.collect(type, selectionSets));
      return completeObject(value as Row, shapes, shaping);
    };
  }

  private fieldsOf(type: RowType, collected: CollectedFields): FieldShape[] {
    return [...collected].map(([name, nodes]) => {
      const [node] = nodes;
      const asked = node?.name.value ?? '';
      const field = type.getFields()[asked];
      if (node && field) {
        const complete = this.valueOf(field.type, nodes, `${type.name}.${asked}`);
        return { name, read: reader(this.nameOf(node)), complete };
      }
      if (asked === '__typename') return { name, read: () => type.name, complete: (typename) => typename };
      // What is left after validation is introspection.
      return { name, read: () => undefined, complete: (_nothing, { introspected }) => introspected?.[name] ?? null };
    });
  }

  private valueOf(type: GraphQLOutputType, nodes: readonly FieldNode[], where: string): Completion {
    if (isNonNullType(type)) return required(this.valueOf(type.ofType, nodes, where), where);
    if (isListType(type)) return listOf(this.valueOf(type.ofType, nodes, where), where);
    if (isLeafType(type)) return leafOf(type, where, invalidValue);
    const selectionSets = nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []));
    if (isObjectType(type)) return rowsOnly(this.objectOf(type, selectionSets), where);
    if (isAbstractType(type)) return rowsOnly(this.abstractOf(type, selectionSets, where), where);
    throw new Error(`${where} has a type that nothing here completes`);
  }

  private abstractOf(
    type: GraphQLAbstractType,
    selectionSets: Parameters<FieldCollection['collect']>[1],
    where: string,
  ): Completion {
    const { objects, interfaces } = isInterfaceType(type)
      ? this.schema.getImplementations(type)
      : { objects: type.getTypes(), interfaces: [] };
    const possible = isInterfaceType(type) ? [...objects, type, ...interfaces] : objects;
    const byName = new Map(possible.map((each: RowType) => [each.name, this.objectOf(each, selectionSets)]));
    return (value, shaping) => {
      // Where nothing that was asked depends on the type, the planner need not ask for it.
      const complete = byName.get(String((value as Row)['__typename'] ?? type.name));
      // A type that clients cannot see.
      return complete ? complete(value, shaping) : invalidValue(where, shaping);
    };
  }
}

function completeObject(row: Row, fields: readonly FieldShape[], shaping: Shaping): unknown {
  const answer = new Answer();
  const { place } = shaping;
  for (const { name, read, complete } of fields) {
    place.push(name);
    const completed = complete(read(row), shaping);
    place.pop();
    if (completed === INVALID) return INVALID;
    answer[name] = completed;
  }
  return answer;
}

function required(complete: Completion, where: string): Completion {
  return (value, shaping) => {
    const completed = complete(value, shaping);
    if (completed !== null && completed !== INVALID) return completed;
    if (completed === null) report(`Cannot return null for non-nullable field ${where}.`, shaping);
    return INVALID;
  };
}

function listOf(complete: Completion, where: string): Completion {
  return (value, shaping) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) return invalidValue(where, shaping);
    const { place } = shaping;
    const depth = place.length;
    place.push(0);
    const list = new Array<unknown>(value.length);
    for (let index = 0; index < value.length; index += 1) {
      place[depth] = index;
      const completed = complete(value[index], shaping);
      if (completed === INVALID) {
        place.length = depth;
        return null;
      }
      list[index] = completed;
    }
    place.length = depth;
    return list;
  };
}

/** What an object's own null makes of it: null where its place may be null. */
function rowsOnly(complete: Completion, where: string): Completion {
  return (value, shaping) => {
    if (value === null || value === undefined) return null;
    if (!isRow(value)) return invalidValue(where, shaping);
    const completed = complete(value, shaping);
    return completed === INVALID ? null : completed;
  };
}

function invalidValue(where: string, shaping: Shaping): null {
  report(`Invalid value found for ${where}.`, shaping);
  return null;
}

function report(message: string, { problems, place }: Shaping): void {
  if (!problems.explain(place)) problems.add(new GraphQLError(message, { path: [...place] }));
}
