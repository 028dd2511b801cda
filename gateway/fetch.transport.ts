import type { DocumentNode, GraphQLFormattedError } from 'graphql';
import { Pool } from 'undici';

/** One fetch of a plan, as a subgraph receives it. */
export interface SubgraphRequest {
  readonly query: string;
  /** `query`, parsed, where the planner kept it: for subgraphs in this process. */
  readonly document?: DocumentNode;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

export interface SubgraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** How a subgraph is reached: over HTTP or in this process. Throws whatever goes wrong on the way. */
export type SubgraphTransport = (request: SubgraphRequest) => Promise<SubgraphAnswer>;

export interface HttpTransport {
  readonly ask: SubgraphTransport;
  close(): Promise<void>;
}

const LARGEST_ANSWER = 32 * 1024 * 1024;

/** A pool of kept connections to one subgraph. */
export function overHttp(url: string, connections: number): HttpTransport {
  const { origin, pathname, search } = new URL(url);
  // Idle connections are given up well before a server of ours closes them (65 s): no request meets a closing one.
  const pool = new Pool(origin, { connections, keepAliveTimeout: 30_000, maxResponseSize: LARGEST_ANSWER });
  return {
    ask: async ({ query, variables, operationName, headers, signal }) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: pathname + search,
        headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables, operationName: operationName ?? undefined }),
        signal: signal ?? null,
      });
      const text = await body.text();
      return parseAnswer(text, statusCode);
    },
    // What is under way was given its deadline; when the pool is closed nobody waits for it any more.
    close: () => pool.destroy(),
  };
}

/** Any status will do when the body is a GraphQL answer; a load balancer's error page is none. */
function parseAnswer(text: string, statusCode: number): SubgraphAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`not JSON (HTTP ${statusCode})`);
  }
  if (!isAnswer(answer)) throw new Error(`not a GraphQL answer (HTTP ${statusCode})`);
  return answer;
}

// Written out, not a zod schema: this runs for each fetch and must not walk the data.
function isAnswer(value: unknown): value is SubgraphAnswer {
  if (!isObject(value)) return false;
  const { data, errors } = value;
  if (data === undefined && errors === undefined) return false;
  if (data !== undefined && data !== null && !isObject(data)) return false;
  return errors === undefined || (Array.isArray(errors) && errors.every(isError));
}

function isError(value: unknown): boolean {
  return (
    isObject(value) && typeof value['message'] === 'string' && (value['path'] === undefined || isPath(value['path']))
  );
}

function isPath(value: unknown): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === 'string' || typeof part === 'number');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
