import { GraphQLError, getVariableValues } from 'graphql';
import type { GatewayContext } from './context.js';
import type { CompiledOperation } from './execute.compile.js';
import type { Run } from './execute.step.js';
import type { MutationCount } from './fetch.queries.js';
import type { Values } from './fetch.transport.js';
import type { ShapedAnswer } from './shape.js';
import type { LoadedSupergraph } from './supergraph.js';

/** Runs prepared queries and mutations: fetches by their plan, then the answer in the client's shape. */
export class Execution {
  constructor(
    private readonly loaded: LoadedSupergraph,
    private readonly mutations: MutationCount,
  ) {}

  /** The variables with their defaults, or what is wrong with them. Nothing is fetched before. */
  coerce({ operation }: CompiledOperation, variables: Values): Coerced {
    const definitions = operation.variableDefinitions ?? [];
    if (definitions.length === 0) return { values: NONE };
    const { coerced, errors } = getVariableValues(this.loaded.api, definitions, variables);
    return errors ? { problems: errors.map(asInput) } : { values: coerced };
  }

  /** @param conditions the variables as `coerce` gave them */
  async run(
    compiled: CompiledOperation,
    variables: Values,
    conditions: Values,
    context: GatewayContext,
  ): Promise<ShapedAnswer> {
    try {
      return await this.complete(compiled, { data: {}, errors: [] }, variables, conditions, context);
    } finally {
      if (compiled.operation.operation === 'mutation') this.mutations.end(context.identity);
    }
  }

  /** Fetches what is missing of an operation whose first fetch has been answered: by an event. */
  async continue(
    compiled: CompiledOperation,
    begun: ShapedAnswer,
    variables: Values,
    context: GatewayContext,
  ): Promise<ShapedAnswer> {
    const { values, problems } = this.coerce(compiled, variables);
    return problems ? { data: null, errors: problems } : this.complete(compiled, begun, variables, values, context);
  }

  private async complete(
    compiled: CompiledOperation,
    begun: ShapedAnswer,
    variables: Values,
    conditions: Values,
    context: GatewayContext,
  ): Promise<ShapedAnswer> {
    const shape = compiled.shapeFor(conditions);
    const introspected = compiled.introspection?.(variables) ?? null;
    const run: Run = {
      root: begun.data ?? {},
      errors: [...begun.errors],
      lost: [],
      variables: compiled.variables(variables),
      conditions: compiled.variables(conditions),
      context,
    };
    await compiled.step?.(run, { path: [], rows: [run.root] });
    const shaping = context.span?.child('shape');
    const shaped = shape(run.root, introspected, run);
    shaping?.end();
    return shaped;
  }
}

export type Coerced =
  | { readonly values: Values; readonly problems?: undefined }
  | { readonly values?: undefined; readonly problems: readonly GraphQLError[] };

const NONE: Values = {};

function asInput({ message, nodes }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes, extensions: { code: 'BAD_USER_INPUT' } });
}
