import { executeQueryPlan, type ServiceMap } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { GatewayContext } from './context.js';
import type { LoadedSupergraph } from './supergraph.js';

type PlanRequest = Parameters<typeof executeQueryPlan>[2];

export interface PlannedExecution {
  readonly plan: QueryPlan;
  readonly operationContext: Parameters<typeof executeQueryPlan>[3];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: GatewayContext;
  readonly services: ServiceMap;
  readonly loaded: LoadedSupergraph;
  readonly logger: Logger;
}

/** Runs one plan outside Apollo Server's pipeline. */
export async function runPlan(execution: PlannedExecution): Promise<ExecutionResult> {
  const { plan, services, operationContext, loaded, variables, context, logger } = execution;
  // The parts of a request's context that executeQueryPlan reads. `metrics` must be there: it writes errors into it.
  const request = { request: { variables }, context, logger, metrics: {} } as unknown as PlanRequest;
  return withCompletionErrors(
    await executeQueryPlan(plan, services, request, operationContext, loaded.full, loaded.apiSchema),
  );
}

/**
 * A null where the schema promises a value, without an error from any subgraph, is only noted in an extension by
 * Apollo's executor: the client would see missing data and no reason. Here it is an error like any other.
 */
export function withCompletionErrors(result: ExecutionResult): ExecutionResult {
  const found = result.extensions?.['valueCompletion'];
  if (!Array.isArray(found)) return result;
  const errors = found.map((problem: GraphQLError) => new GraphQLError(problem.message, { path: problem.path }));
  return { data: result.data, errors };
}
