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

  /**
   * The variables with their defaults: what conditions look at.
   * @throws GraphQLError BAD_USER_INPUT when they are not what the operation declares; nothing was fetched then
   */
  coerce({ operation }: CompiledOperation, variables: Values): Values {
    const definitions = operation.variableDefinitions ?? [];
    if (definitions.length === 0) return NONE;
    const { coerced, errors } = getVariableValues(this.loaded.api, definitions, variables);
    const [first] = errors ?? [];
    if (first) throw new GraphQLError(first.message, { nodes: first.nodes, extensions: { code: 'BAD_USER_INPUT' } });
    return coerced ?? NONE;
  }

  /** @param conditions the variables as `coerce` gave them */
  async run(
    compiled: CompiledOperation,
    variables: Values,
    conditions: Values,
    context: GatewayContext,
  ): Promise<ShapedAnswer> {
    try {
      return await this.complete(compiled, { root: {}, errors: [], variables, conditions, context });
    } finally {
      if (compiled.operation.operation === 'mutation') this.mutations.ended += 1;
    }
  }

  /**
   * Fetches what is missing of an operation whose first fetch has been answered: by an event.
   * @throws GraphQLError BAD_USER_INPUT
   */
  async continue(
    compiled: CompiledOperation,
    { data, errors }: ShapedAnswer,
    variables: Values,
    context: GatewayContext,
  ): Promise<ShapedAnswer> {
    const conditions = this.coerce(compiled, variables);
    return this.complete(compiled, { root: data ?? {}, errors: [...errors], variables, conditions, context });
  }

  private async complete(compiled: CompiledOperation, run: Run): Promise<ShapedAnswer> {
    const shape = compiled.shapeFor(run.conditions);
    const introspected = compiled.introspection?.(run.variables) ?? null;
    await compiled.step?.(run, { path: [], rows: [run.root] });
    return shape(run.root, introspected, run.errors);
  }
}

const NONE: Values = {};
