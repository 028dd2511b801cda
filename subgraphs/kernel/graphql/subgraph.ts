import type { IncomingHttpHeaders } from 'node:http';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  parse,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { SubgraphName } from '../configuration.js';
import { DEADLINE_HEADER, requireTimeLeft, withDeadline } from '../deadline.js';
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
export interface SubgraphTransport {
  (request: SubgraphRequest): Promise<SubgraphResponse>;
  /** Whether it has all that it depends on, where it can say so. @throws when it has not */
  ready?(signal: AbortSignal): Promise<void>;
}

/** Runs requests against a subgraph in this process; texts seen before are neither parsed nor validated again. */
export function inProcess(subgraph: Subgraph): SubgraphTransport {
  const documents = new LRUCache<string, DocumentNode | readonly GraphQLFormattedError[]>({ max: 1_000 });

  const documentOf = (request: SubgraphRequest): DocumentNode | readonly GraphQLFormattedError[] => {
    const known = documents.get(request.query);
    if (known) return known;
    const checked = check(request);
    documents.set(request.query, checked);
    return checked;
  };

  const check = (request: SubgraphRequest): DocumentNode | readonly GraphQLFormattedError[] => {
    try {
      const document = request.document ?? parse(request.query);
      const problems = validate(subgraph.schema, document);
      return problems.length > 0 ? problems.map((error) => format(error, 'GRAPHQL_VALIDATION_FAILED')) : document;
    } catch (thrown) {
      if (!(thrown instanceof GraphQLError)) throw thrown;
      return [format(thrown, 'GRAPHQL_PARSE_FAILED')];
    }
  };

  const run = async (request: SubgraphRequest): Promise<SubgraphResponse> => {
    try {
      const contextValue = await subgraph.contextFor(request.headers);
      const document = documentOf(request);
      if (!('kind' in document)) return { errors: document };
      requireTimeLeft();
      const { variables: variableValues, operationName } = request;
      return shaped(await execute({ schema: subgraph.schema, document, contextValue, variableValues, operationName }));
    } catch (thrown) {
      return { errors: [format(new GraphQLError('', { originalError: thrown as Error }))] };
    }
  };

  const format = (error: GraphQLError, code?: string): GraphQLFormattedError => {
    const plain = error.toJSON();
    return formatError(code ? { ...plain, extensions: { ...plain.extensions, code } } : plain, error, subgraph.logger);
  };

  // Without data nothing was run: the variables or the operation's name are wrong.
  const shaped = ({ data, errors }: ExecutionResult): SubgraphResponse => ({
    ...(data !== undefined && { data }),
    ...(errors && { errors: errors.map((error) => format(error, data === undefined ? 'BAD_USER_INPUT' : undefined)) }),
  });

  const ask = (request: SubgraphRequest): Promise<SubgraphResponse> => {
    const requestId = request.headers[REQUEST_ID_HEADER];
    const begin = () => withDeadline(request.headers[DEADLINE_HEADER], () => run(request));
    return requestId ? currentRequest.run({ requestId }, begin) : begin();
  };
  return Object.assign(ask, { ready: () => subgraph.ready() });
}
