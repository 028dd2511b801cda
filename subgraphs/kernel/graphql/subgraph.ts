import type { IncomingHttpHeaders } from 'node:http';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  GraphQLError as GraphQLErrorClass,
  type GraphQLFormattedError,
  parse,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { SubgraphName } from '../configuration.js';
import { currentRequest, type Logger, REQUEST_ID_HEADER } from '../telemetry.js';
import { formatError } from './error.format.js';
import type { SubgraphSchema } from './subgraph.schema.js';

export type Headers = Readonly<Record<string, string | undefined>>;

/** A raw HTTP endpoint beside `/graphql`: for notifications of outside systems, which sign their exact bytes. */
export interface Route {
  readonly method: 'POST' | 'GET';
  readonly path: string;
  answer(request: { headers: IncomingHttpHeaders; body: Buffer }): Promise<RouteAnswer>;
}

export interface RouteAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A subgraph, wired but not listening: it runs in one process with the others or behind `serveSubgraph`. */
export interface Subgraph extends SubgraphSchema {
  readonly name: SubgraphName;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  /** One per request, with loaders and an entity manager of its own. @throws ForbiddenError without a signed principal */
  contextFor(headers: Headers): Promise<object>;
  /** Brings the database up to date. */
  migrate(): Promise<void>;
  /** Starts relays and workers; a subgraph that is only asked needs none. */
  start(): Promise<void>;
  /** @throws when something it depends on cannot be reached */
  ready(): Promise<void>;
  /** Finishes what is under way, then lets go of everything. */
  close(): Promise<void>;
}

export interface SubgraphRequest {
  readonly query: string;
  /** `query`, parsed, where the caller has it. */
  readonly document?: DocumentNode;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  readonly signal?: AbortSignal;
}

export interface SubgraphResponse {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** How a subgraph is reached: over HTTP or in this process. */
export type SubgraphTransport = (request: SubgraphRequest) => Promise<SubgraphResponse>;

/** Runs requests against a subgraph in this process; texts seen before are neither parsed nor validated again. */
export function inProcess(subgraph: Subgraph): SubgraphTransport {
  const documents = new LRUCache<string, DocumentNode | readonly GraphQLError[]>({ max: 1_000 });

  const documentOf = (request: SubgraphRequest): DocumentNode | readonly GraphQLError[] => {
    const known = documents.get(request.query);
    if (known) return known;
    const document = request.document ?? parse(request.query);
    const problems = validate(subgraph.schema, document);
    const checked = problems.length > 0 ? problems : document;
    documents.set(request.query, checked);
    return checked;
  };

  const run = async (request: SubgraphRequest): Promise<SubgraphResponse> => {
    try {
      const document = documentOf(request);
      if (!('kind' in document)) return { errors: document.map((error) => format(error, 'GRAPHQL_VALIDATION_FAILED')) };
      const result = await execute({
        schema: subgraph.schema,
        document,
        contextValue: await subgraph.contextFor(request.headers),
        variableValues: request.variables,
        operationName: request.operationName,
      });
      return shaped(result);
    } catch (thrown) {
      const error =
        thrown instanceof GraphQLErrorClass ? thrown : new GraphQLErrorClass('', { originalError: thrown as Error });
      return { errors: [format(error)] };
    }
  };

  const format = (error: GraphQLError, code?: string): GraphQLFormattedError => {
    const plain = error.toJSON();
    return formatError(code ? { ...plain, extensions: { ...plain.extensions, code } } : plain, error, subgraph.logger);
  };

  const shaped = (result: ExecutionResult): SubgraphResponse => ({
    ...(result.data !== undefined && { data: result.data }),
    ...(result.errors && { errors: result.errors.map((error) => format(error)) }),
  });

  return (request) => {
    const requestId = request.headers[REQUEST_ID_HEADER];
    return requestId ? currentRequest.run({ requestId }, () => run(request)) : run(request);
  };
}
