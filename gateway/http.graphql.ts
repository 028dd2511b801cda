import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { InvalidError } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { OperationRequest } from './admission.js';
import type { Presence } from './context.js';
import { formatThrown } from './errors.js';
import type { Generation } from './generation.js';
import type { Generations } from './generation.switch.js';
import type { Host } from './host.js';
import { bodyOf, operationIn, withText } from './http.body.js';
import { requirePreflight } from './http.csrf.js';
import { statusOfCode } from './http.status.js';
import { type Acceptance, acceptanceOf } from './negotiation.js';
import type { AdmittedArrival, Arrival, Operations } from './operation.js';
import { writeStream } from './stream.writer.js';
import type { Heartbeats } from './subscribe.heartbeat.js';
import type { Tracer } from './trace.js';

export interface GraphqlEndpointOptions {
  readonly operations: Operations;
  readonly generations: Generations;
  readonly mostBytes: number;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly tracer?: Tracer;
}

const ONLY_JSON: Acceptance = { json: true, jsonType: 'application/json', stream: null, prefersStream: false };

type Streaming = NonNullable<Acceptance['stream']>;

/** `/graphql` over HTTP: JSON answers through Apollo Server, streams by ourselves. */
export class GraphqlEndpoint {
  constructor(private readonly options: GraphqlEndpointOptions) {}

  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    arrival: Omit<Arrival, 'signal'>,
  ): Promise<void> {
    const acceptance = acceptanceOf(request.headers.accept);
    try {
      requirePreflight(request.headers);
    } catch (thrown) {
      // Not as a stream: an EventSource of a foreign page learns nothing, not even that there was something.
      return this.refuse(response, ONLY_JSON, thrown);
    }
    let operation: OperationRequest = {};
    const span = this.options.tracer?.begin('request', { 'network.protocol.name': 'http' }, request.headers);
    try {
      const body = await bodyOf(request, this.options.mostBytes);
      operation = operationIn(request.method, body, url.searchParams);
      const arrived = await this.options.operations.admit(operation, {
        ...arrival,
        signal: presenceOf(response),
        span,
      });
      const streaming = streamFor(acceptance, arrived, request.method);
      if (streaming) return await this.stream(response, streaming, operation, arrived);
      await this.options.generations.during((generation) =>
        this.whole(generation, request, response, url, body, arrived, acceptance),
      );
    } catch (thrown) {
      await this.refuse(response, acceptance, thrown);
    } finally {
      span?.end();
    }
  }

  private stream(
    response: ServerResponse,
    { transport, format }: Streaming,
    operation: OperationRequest,
    arrived: AdmittedArrival,
  ) {
    const { heartbeats, operations } = this.options;
    return writeStream(response, format, heartbeats, () => operations.run(operation, arrived, transport));
  }

  private async whole(
    { host }: Generation,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    body: unknown,
    arrived: AdmittedArrival,
    acceptance: Acceptance,
  ) {
    if (await this.answered(host, request, response, arrived, acceptance)) return;
    const headers = new HeaderMap();
    for (const [name, value] of Object.entries(request.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const method = (request.method ?? '').toUpperCase();
    const sent = arrived.admitted ? withText(arrived.admitted, body, url.searchParams) : { body, search: url.search };
    const answer = await host.overHttp({ method, headers, ...sent }, arrived.context);
    if (response.destroyed) return;
    response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
    if (answer.body.kind === 'complete') response.end(answer.body.string);
    else {
      for await (const chunk of answer.body.asyncIterator) response.write(chunk);
      response.end();
    }
  }

  /** What Apollo Server would answer, where it would only answer: a POST with a text and nothing wrong with it. */
  private async answered(
    host: Host,
    request: IncomingMessage,
    response: ServerResponse,
    { admitted, context }: AdmittedArrival,
    { jsonType }: Acceptance,
  ): Promise<boolean> {
    if (request.method !== 'POST' || !admitted || !jsonType) return false;
    const answer = await host.answer(admitted, context);
    if (!answer) return false;
    if (response.destroyed) return true;
    const text = JSON.stringify(answer);
    response.writeHead(200, {
      'content-type': `${jsonType}; charset=utf-8`,
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
    return true;
  }

  /** An operation that was refused before Apollo Server saw it. */
  private async refuse(response: ServerResponse, acceptance: Acceptance, thrown: unknown): Promise<void> {
    if (response.destroyed) return;
    const error = formatThrown(thrown, this.options.logger);
    const result = { errors: [error] };
    if (response.headersSent) return void response.end();
    if (acceptance.stream && acceptance.prefersStream)
      return writeStream(response, acceptance.stream.format, this.options.heartbeats, async () => result);
    const wait = retryAfterSeconds(error);
    response.writeHead(statusOf(thrown, error), {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(wait !== null && { 'retry-after': String(wait) }),
      // The rest of a body that nobody reads would be taken for the next request.
      ...(thrown instanceof InvalidError && thrown.details['what'] === 'bytes' && { connection: 'close' }),
    });
    response.end(JSON.stringify(result));
  }
}

/** Whether the client is still there, without a listener of its own. */
function presenceOf(response: ServerResponse): Presence {
  return {
    get aborted() {
      return response.destroyed;
    },
  };
}

/** @throws GraphQLError when a subscription came without a way to stream its results */
function streamFor({ json, stream }: Acceptance, { admitted }: AdmittedArrival, method?: string): Streaming | null {
  const type = admitted?.operation.operation;
  if (type === 'subscription') {
    if (stream) return stream;
    throw new GraphQLError(
      'A subscription needs a streaming transport: graphql-ws, server-sent events or multipart/mixed;subscriptionSpec=1.0.',
      { extensions: { code: 'BAD_REQUEST' } },
    );
  }
  if (!stream || json) return null;
  if (type === 'mutation' && method === 'GET')
    throw new GraphQLError('A mutation must be sent by POST.', { extensions: { code: 'BAD_REQUEST' } });
  return stream;
}

function statusOf(thrown: unknown, { extensions }: GraphQLFormattedError): number {
  if (thrown instanceof InvalidError && thrown.details['what'] === 'bytes') return 413;
  return statusOfCode(extensions?.['code']);
}

function retryAfterSeconds({ extensions }: GraphQLFormattedError): number | null {
  const details = extensions?.['details'] as { retryAfterMs?: unknown } | undefined;
  return typeof details?.retryAfterMs === 'number' ? Math.ceil(details.retryAfterMs / 1_000) : null;
}
