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
import { type FormattedExecutionResult, GraphQLError } from 'graphql';
import { DomainError } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { Authorizer } from './admission.authorization.js';
import type { AdmittedOperation, OperationRequest } from './admission.js';
import type { GatewayContext } from './context.js';
import { formatError, formatThrown } from './errors.js';
import type { Execution } from './execute.js';
import { statusOfCode } from './http.status.js';
import type { GatewayMetrics } from './metrics.js';
import { Overrides } from './plan.override.js';
import { InvalidOperation, type Preparation, type PreparedOperation } from './prepare.js';
import type { LoadedSupergraph } from './supergraph.js';
import { codesIn, traceErrors } from './trace.js';

export interface HostOptions {
  readonly loaded: LoadedSupergraph;
  readonly authorizer: Authorizer;
  readonly preparation: Preparation;
  readonly execution: Execution;
  readonly development: boolean;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

/** An admitted operation, or one of our own. */
type Ready = Omit<AdmittedOperation, 'cost'>;

type Gateway = NonNullable<NonNullable<ConstructorParameters<typeof ApolloServer<GatewayContext>>[0]>['gateway']>;

/**
 * Where queries and mutations are answered. Apollo Server hosts them: all that GraphQL over HTTP asks of requests and
 * answers, and everything that is wrong with an operation, is its business. What needs none of that, a valid operation
 * with good variables, is answered without its pipeline, in the same words.
 */
export class Host {
  private constructor(
    private readonly apollo: ApolloServer<GatewayContext>,
    private readonly options: HostOptions,
    private readonly overrides: Overrides | null,
  ) {}

  static async start(options: HostOptions): Promise<Host> {
    const { development, metrics } = options;
    const logger = options.logger.child({}, { level: 'warn' });
    const overrides = Overrides.of(options.loaded.supergraph);
    const apollo = new ApolloServer<GatewayContext>({
      gateway: engineOf(options, overrides),
      nodeEnv: development ? 'development' : 'production',
      introspection: development,
      hideSchemaDetailsFromClientErrors: !development,
      includeStacktraceInErrorResponses: false,
      csrfPrevention: true,
      stopOnTerminationSignals: false,
      formatError: (formatted, thrown) => formatError(formatted, thrown, options.logger, development),
      logger,
      plugins: [
        ApolloServerPluginLandingPageDisabled(),
        // An APOLLO_KEY in the environment must not make the graph report about its users.
        ApolloServerPluginUsageReportingDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        measured(metrics),
      ],
    });
    await apollo.start();
    return new Host(apollo, options, overrides);
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

  /** The answer to an operation with which nothing is wrong; null for any other, which `overHttp` or `run` answers. */
  async answer(admitted: Ready, context: GatewayContext): Promise<FormattedExecutionResult | null> {
    const { execution, metrics, logger } = this.options;
    const started = performance.now();
    const prepared = await this.prepared(admitted, context);
    if (!prepared) return null;
    const variables = { ...admitted.variables, ...prepared.literals };
    const { values } = execution.coerce(prepared.compiled, variables);
    if (!values) return null;
    const { data, errors } = await execution.run(prepared.compiled, variables, values, context);
    const { operation, name } = admitted.operation;
    metrics.answered(name?.value, operation, errors.length > 0, performance.now() - started);
    if (errors.length === 0) return { data };
    const formatted = errors.map((error) => formatThrown(error, logger));
    if (context.span) traceErrors(context.span, codesIn(formatted));
    return { errors: formatted, data };
  }

  stop(): Promise<void> {
    return this.apollo.stop();
  }

  private async prepared(
    { query, document, operationName }: Ready,
    context: GatewayContext,
  ): Promise<PreparedOperation | null> {
    const { overrides } = this;
    const { preparation, authorizer } = this.options;
    if (authorizer.authorize(document, operationName, context.identity.principal).key) return null;
    try {
      const head = overrides?.draw();
      const known = preparation.find(query, operationName, '', head);
      if (known) return known;
      const { asker, span } = context;
      return await preparation.prepare(query, document, operationName, { asker, span, head });
    } catch (thrown) {
      if (thrown instanceof InvalidOperation) return null;
      throw thrown;
    }
  }
}

/** Our execution in the place of Apollo's gateway. */
function engineOf(options: HostOptions, overrides: Overrides | null): Gateway {
  const { loaded, authorizer, preparation, execution } = options;
  const listeners = new Set<Parameters<Gateway['onSchemaLoadOrUpdate']>[0]>();
  return {
    onSchemaLoadOrUpdate: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    load: async () => {
      for (const listener of listeners) listener({ apiSchema: loaded.api, coreSupergraphSdl: loaded.sdl });
      return {
        executor: async ({ source, document, request, context }) => {
          const name = request.operationName ?? undefined;
          const asking = context as GatewayContext;
          const rights = authorizer.authorize(document, name, asking.identity.principal);
          const given = request.variables ?? {};
          // What the asker may not have comes back as null.
          if (!rights.document) return rights.complete({}, given);
          const { asker, span } = asking;
          const preparing = { rights: rights.key, asker, span, head: overrides?.draw() };
          const { compiled, literals } = await preparation
            .prepareValid(source, rights.document, name, preparing)
            .catch(withStatus);
          const variables = { ...given, ...literals };
          const { values, problems } = execution.coerce(compiled, variables);
          if (problems) return { errors: problems };
          const { data, errors } = await execution.run(compiled, variables, values, asking);
          return rights.complete({ data, ...(errors.length > 0 && { errors }) }, given);
        },
      };
    },
    stop: async () => undefined,
  };
}

/** Apollo Server takes any error that is thrown here for ours. */
function withStatus(thrown: unknown): never {
  if (!(thrown instanceof DomainError)) throw thrown;
  const extensions = { code: thrown.code, http: { status: statusOfCode(thrown.code) } };
  throw new GraphQLError(thrown.message, { originalError: thrown, extensions });
}

function measured(metrics: GatewayMetrics): ApolloServerPlugin<GatewayContext> {
  return {
    async requestDidStart() {
      const started = performance.now();
      return {
        async willSendResponse({ operationName, operation, errors, contextValue: { span }, response }) {
          const type = operation?.operation ?? 'unknown';
          metrics.answered(operationName, type, (errors?.length ?? 0) > 0, performance.now() - started);
          if (span && response.body.kind === 'single') traceErrors(span, codesIn(response.body.singleResult.errors));
        },
      };
    },
  };
}
