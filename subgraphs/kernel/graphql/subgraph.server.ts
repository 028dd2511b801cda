import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { GraphQLError } from 'graphql';
import type { Registry } from 'prom-client';
import { DEADLINE_HEADER, requireTimeLeft, withDeadline } from '../deadline.js';
import { DomainError, messageOf, UnavailableError } from '../error.js';
import { faultPoint } from '../fault.js';
import { closesInOrder } from '../server.close.js';
import { currentRequest, REQUEST_ID_HEADER } from '../telemetry.js';
import { formatError } from './error.format.js';
import type { Headers, Route, RouteAnswer, Subgraph } from './subgraph.js';

const LARGEST_BODY = 1024 * 1024;
// How long requests under way may take after the word to stop.
const GRACE_MS = 20_000;

export interface RunningServer {
  readonly url: string;
  /** Takes no new request, lets those under way finish. */
  close(): Promise<void>;
}

/** Serves one subgraph over HTTP: `/graphql`, its raw routes, `/health/live`, `/health/ready` and `/metrics`. */
export async function serveSubgraph(
  subgraph: Subgraph,
  options: { readonly host: string; readonly port: number; readonly metrics: Registry },
): Promise<RunningServer> {
  const apollo = new ApolloServer<object>({
    schema: subgraph.schema,
    introspection: false,
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    plugins: [ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginLandingPageDisabled()],
    formatError: (formatted, thrown) => formatError(formatted, thrown, subgraph.logger),
    stopOnTerminationSignals: false,
  });
  await apollo.start();
  const server = createServer((request, response) => {
    const requestId = firstOf(request.headers[REQUEST_ID_HEADER]) ?? randomUUID();
    const begin = () =>
      answer(subgraph, apollo, options.metrics, request)
        .catch((thrown: unknown): RouteAnswer => {
          subgraph.logger.error({ err: thrown }, 'failed');
          return { status: 500 };
        })
        .then((reply) => {
          send(response, reply);
          faultPoint('server.answered');
        });
    // From here on, and not only once the body is there: it may have waited for its turn.
    const deadline = firstOf(request.headers[DEADLINE_HEADER]);
    void currentRequest.run({ requestId }, () => withDeadline(deadline, begin));
  });
  // Longer than any client of ours keeps an idle connection, so that we never close under a request.
  server.keepAliveTimeout = 65_000;
  const closeServer = closesInOrder(server, GRACE_MS);
  await listen(server, options.port, options.host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    close: async () => {
      await closeServer();
      await apollo.stop();
    },
  };
}

/** @throws what the operating system says, such as EADDRINUSE */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer(
  subgraph: Subgraph,
  apollo: ApolloServer<object>,
  metrics: Registry,
  request: IncomingMessage,
): Promise<RouteAnswer> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/health/live') return { status: 200, body: 'ok' };
  if (pathname === '/health/ready') return readiness(subgraph);
  if (pathname === '/metrics')
    return { status: 200, body: await metrics.metrics(), headers: { 'content-type': metrics.contentType } };
  const route = subgraph.routes.find((candidate) => candidate.path === pathname && candidate.method === request.method);
  if (route) return answerRoute(route, request);
  if (pathname === '/graphql' && request.method === 'POST') return answerGraphql(subgraph, apollo, request);
  return { status: 404 };
}

async function readiness(subgraph: Subgraph): Promise<RouteAnswer> {
  try {
    await subgraph.ready();
    return { status: 200, body: 'ok' };
  } catch (thrown) {
    subgraph.logger.warn({ err: thrown }, 'not ready');
    return { status: 503, body: 'not ready' };
  }
}

/** Hands a request's exact bytes to a raw route. */
export async function answerRoute(route: Route, request: IncomingMessage): Promise<RouteAnswer> {
  const body = await bodyOf(request);
  return body ? route.answer({ headers: request.headers, body }) : { status: 413 };
}

async function answerGraphql(
  subgraph: Subgraph,
  apollo: ApolloServer<object>,
  request: IncomingMessage,
): Promise<RouteAnswer> {
  const bytes = await bodyOf(request);
  if (!bytes) return { status: 413 };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch (thrown) {
    return { status: 400, body: messageOf(thrown) };
  }
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) if (value) headers.set(name, firstOf(value) ?? '');
  const reply = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: 'POST', headers, search: '', body },
    context: () => contextFor(subgraph, request.headers as Headers),
  });
  if (reply.body.kind !== 'complete') return { status: 500 };
  return { status: reply.status ?? 200, body: reply.body.string, headers: Object.fromEntries(reply.headers) };
}

/**
 * A request without a principal is refused with 401, one for which nobody waits any more with 503: 500, which Apollo
 * would answer, means that we are broken.
 */
async function contextFor(subgraph: Subgraph, headers: Headers): Promise<object> {
  try {
    const context = await subgraph.contextFor(headers);
    requireTimeLeft();
    return context;
  } catch (thrown) {
    if (!(thrown instanceof DomainError)) throw thrown;
    const status = thrown instanceof UnavailableError ? 503 : 401;
    throw new GraphQLError(thrown.message, { originalError: thrown, extensions: { http: { status } } });
  }
}

/** The whole body, or null when it is larger than anyone needs. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Sends a whole answer. */
export function send(response: ServerResponse, reply: RouteAnswer): void {
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
