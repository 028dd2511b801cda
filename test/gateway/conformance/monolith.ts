import {
  buildASTSchema,
  type DocumentNode,
  defaultFieldResolver,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  parse,
  validate,
  visit,
} from 'graphql';
import { formatThrown } from '../../../gateway/errors.js';
import { silent } from '../../support/logger.js';

/** What anyone answers to an operation. */
export interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** Type → field → resolver; also `__resolveType` and `__resolveReference`, or a whole scalar. */
export type Resolvers = Readonly<
  Record<string, Readonly<Record<string, (...given: never[]) => unknown>> | GraphQLScalarType>
>;

/** What the law says of one operation. */
export interface Law {
  readonly answer: Answer;
  /**
   * All errors that an engine may report: the answer's own, and those below a place that another error made null. The
   * specification leaves it to the engine which of the latter it meets before it gives up.
   */
  readonly possible: readonly GraphQLFormattedError[];
}

/** The same graph as one plain schema, run by graphql-js: what the gateway's answers are measured against. */
export class Monolith {
  private readonly strict: GraphQLSchema;
  private readonly lenient: GraphQLSchema;
  private violations: GraphQLFormattedError[] = [];

  /** @param again called before an operation that had errors runs a second time, to find all that it could have */
  constructor(
    api: string,
    resolvers: Resolvers,
    private readonly again: () => void = () => undefined,
  ) {
    const document = parse(api);
    this.strict = withResolvers(buildASTSchema(document), resolvers, (resolve) => resolve);
    this.lenient = withResolvers(buildASTSchema(withoutPromises(document)), resolvers, (resolve, type, field) => {
      const promised = this.typeOf(type, field);
      return (...given) => {
        const value = resolve(...given);
        this.note(promised, value, given[3].path);
        return value;
      };
    });
  }

  async run(query: string, variables: Readonly<Record<string, unknown>> = {}, operationName?: string): Promise<Law> {
    const document = parse(query);
    const problems = validate(this.strict, document);
    if (problems.length > 0) return refused(problems, 'GRAPHQL_VALIDATION_FAILED');
    const asked = { document, variableValues: variables, operationName, contextValue: {} };
    const { data, errors = [] } = await execute({ ...asked, schema: this.strict });
    if (data === undefined) return refused(errors, 'BAD_USER_INPUT');
    // As a client would read it: without prototypes, undefined and graphql-js's own classes.
    const plain = JSON.parse(JSON.stringify(data)) as Answer['data'];
    const own = errors.map((error) => formatThrown(error, silent));
    return {
      answer: { data: plain, ...(own.length > 0 && { errors: own }) },
      possible: await this.possible(asked, own),
    };
  }

  private async possible(asked: Omit<Parameters<typeof execute>[0], 'schema'>, own: GraphQLFormattedError[]) {
    // Without an error nothing was given up.
    if (own.length === 0) return own;
    this.violations = [];
    this.again();
    const { errors = [] } = await execute({ ...asked, schema: this.lenient });
    return [...own, ...errors.map((error) => formatThrown(error, silent)), ...this.violations];
  }

  private typeOf(type: string, field: string): GraphQLOutputType {
    const owner = this.strict.getType(type);
    const found = isObjectType(owner) ? owner.getFields()[field] : undefined;
    if (!found) throw new Error(`there is no ${type}.${field}`);
    return found.type;
  }

  /** Null where the schema promises a value. */
  private note(type: GraphQLOutputType, value: unknown, path: Path): void {
    if (isNonNullType(type)) {
      if (value === null || value === undefined) this.violations.push(brokenPromise(path));
      else this.note(type.ofType, value, path);
    } else if (isListType(type) && Array.isArray(value)) {
      for (const [index, item] of value.entries())
        this.note(type.ofType, item, { prev: path, key: index, typename: undefined });
    }
  }
}

function refused(errors: readonly GraphQLError[], code: string): Law {
  const plain = errors.map(({ message }) => ({ message, extensions: { code } }));
  return { answer: { errors: plain }, possible: plain };
}

function brokenPromise(path: Path): GraphQLFormattedError {
  const keys: (string | number)[] = [];
  for (let at: Path | undefined = path; at; at = at.prev) keys.unshift(at.key);
  return formatThrown(new GraphQLError('a promised value is missing', { path: keys }), silent);
}

/** The same types, but nothing that clients receive is promised. */
function withoutPromises(document: DocumentNode): DocumentNode {
  return visit(document, {
    InputValueDefinition: () => false,
    FieldDefinition: (field) => ({
      ...field,
      type: visit(field.type, { NonNullType: { leave: ({ type }) => type } }),
    }),
  });
}

type Path = GraphQLResolveInfo['path'];
type Resolve = GraphQLFieldResolver<unknown, unknown>;

function withResolvers(
  schema: GraphQLSchema,
  resolvers: Resolvers,
  wrap: (resolve: Resolve, type: string, field: string) => Resolve,
): GraphQLSchema {
  const own = (type: string, field: string): unknown => {
    const found = resolvers[type];
    return found instanceof GraphQLScalarType || !found
      ? undefined
      : Object.getOwnPropertyDescriptor(found, field)?.value;
  };
  for (const type of Object.values(schema.getTypeMap())) {
    const given = resolvers[type.name];
    if (isScalarType(type) && given instanceof GraphQLScalarType)
      Object.assign(type, {
        serialize: given.serialize,
        parseValue: given.parseValue,
        parseLiteral: given.parseLiteral,
      });
    if (isAbstractType(type)) type.resolveType = own(type.name, '__resolveType') as typeof type.resolveType;
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      // A field that an interface object adds to an interface is written once, for all that implement it.
      const names = [type.name, ...type.getInterfaces().map(({ name }) => name)];
      const found = names.map((name) => own(name, field.name)).find((resolver) => resolver !== undefined);
      field.resolve = wrap((found as Resolve | undefined) ?? defaultFieldResolver, type.name, field.name);
    }
  }
  return schema;
}
