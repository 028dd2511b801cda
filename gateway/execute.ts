import { ApolloGateway, type GraphQLDataSource, type ServiceMap } from '@apollo/gateway';
import {
  ApolloServer,
  type ApolloServerPlugin,
  type HTTPGraphQLRequest,
  type HTTPGraphQLResponse,
} from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { FormattedExecutionResult } from 'graphql';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { OperationRequest } from './admission.js';
import { reportToNobody } from './configuration.js';
import type { GatewayContext } from './context.js';
import { formatError } from './errors.js';
import { withCompletionErrors } from './execute.plan.js';
import type { GatewayMetrics } from './metrics.js';

export interface ExecutorOptions {
  readonly supergraph: string;
  readonly services: ServiceMap;
  /** Replaces the fetch layer: for benchmarks that measure what ours is worth. */
  readonly buildService?: (definition: { name: string; url?: string }) => GraphQLDataSource;
  readonly development: boolean;
  readonly withDocuments: boolean;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

/** Queries and mutations: Apollo Server hosts them, Apollo's planner plans them, our sources fetch. */
export class Executor {
  private constructor(private readonly apollo: ApolloServer<GatewayContext>) {}

  static async start(options: ExecutorOptions): Promise<Executor> {
    reportToNobody();
    const { development, services, withDocuments } = options;
    const logger = options.logger.child({}, { level: 'warn' });
    const gateway = new ApolloGateway({
      supergraphSdl: options.supergraph,
      buildService: options.buildService ?? (({ name }) => services[name] ?? neverServed(name)),
      queryPlannerConfig: { exposeDocumentNodeInFetchNode: withDocuments },
      validateSupergraph: false, // Done by loadSupergraph.
      __exposeQueryPlanExperimental: development,
      logger,
    });
    const apollo = new ApolloServer<GatewayContext>({
      gateway: {
        onSchemaLoadOrUpdate: (callback) => gateway.onSchemaLoadOrUpdate(callback),
        stop: () => gateway.stop(),
        load: async (loading) => {
          const { executor } = await gateway.load(loading);
          return { executor: async (request) => withCompletionErrors(await executor(request)) };
        },
      },
      nodeEnv: development ? 'development' : 'production',
      introspection: development,
      hideSchemaDetailsFromClientErrors: !development,
      includeStacktraceInErrorResponses: false,
      csrfPrevention: true,
      stopOnTerminationSignals: false,
      formatError: (formatted, thrown) => formatError(formatted, thrown, options.logger),
      logger,
      plugins: [
        ApolloServerPluginLandingPageDisabled(),
        // An APOLLO_KEY in the environment must not make the graph report about its users.
        ApolloServerPluginUsageReportingDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        measured(options.metrics),
      ],
    });
    await apollo.start();
    return new Executor(apollo);
  }

  /** An operation that came over plain HTTP, with all that GraphQL over HTTP asks of the answer. */
  overHttp(httpGraphQLRequest: HTTPGraphQLRequest, context: GatewayContext): Promise<HTTPGraphQLResponse> {
    return this.apollo.executeHTTPGraphQLRequest({ httpGraphQLRequest, context: async () => context });
  }

  /** A query or mutation that came by another way. */
  async run(request: OperationRequest, context: GatewayContext): Promise<FormattedExecutionResult> {
    const { query, operationName, variables, extensions } = request;
    const { body } = await this.apollo.executeOperation(
      { query, operationName, variables: { ...variables }, extensions: { ...extensions } },
      { contextValue: context },
    );
    if (body.kind !== 'single') throw new Error('an answer in parts, which nobody asked for');
    return body.singleResult;
  }

  stop(): Promise<void> {
    return this.apollo.stop();
  }
}

function measured(metrics: GatewayMetrics): ApolloServerPlugin<GatewayContext> {
  return {
    async requestDidStart() {
      const started = performance.now();
      return {
        async willSendResponse({ operationName, operation, errors }) {
          const type = operation?.operation ?? 'unknown';
          metrics.answered(operationName, type, (errors?.length ?? 0) > 0, performance.now() - started);
        },
      };
    },
  };
}

/** The place of a virtual subgraph, which exists only to be composed: no plan of a query reaches it. */
function neverServed(name: string): GraphQLDataSource {
  return {
    process: async () => {
      throw new Error(`nothing serves the subgraph ${name}`);
    },
  };
}
