import type { IncomingMessage, ServerResponse } from 'node:http';
import { currentRequest, type Logger, REQUEST_ID_HEADER } from '../subgraphs/kernel/telemetry.js';
import { answerCors, type CorsOptions } from './cors.js';
import type { Health } from './health.js';
import type { GraphqlEndpoint } from './http.graphql.js';
import { landingPage } from './landing.js';
import { requestIdFrom } from './operation.js';

export const GRAPHQL_PATH = '/graphql';

/** Asks for all figures, as Prometheus reads them. */
export type Scrape = () => Promise<{ readonly contentType: string; readonly text: string }>;

export interface HttpOptions {
  readonly endpoint: GraphqlEndpoint;
  readonly health: Health;
  readonly scrape: Scrape;
  readonly cors: CorsOptions;
  readonly development: boolean;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly logger: Logger;
}

/** Every path of the gateway. */
export class HttpSurface {
  private readonly landing: string;

  constructor(private readonly options: HttpOptions) {
    this.landing = landingPage(options.development);
  }

  /** Answers a request; whatever goes wrong is part of the answer. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = requestIdFrom(request.headers[REQUEST_ID_HEADER]);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    const started = performance.now();
    await currentRequest.run({ requestId }, async () => {
      const { logger } = this.options;
      try {
        await this.route(request, response, requestId);
      } catch (thrown) {
        logger.error({ err: thrown }, 'failed');
        if (!response.headersSent) response.writeHead(500);
        response.end();
      }
      const { method } = request;
      logger.debug({ method, status: response.statusCode, ms: Math.round(performance.now() - started) }, 'answered');
    });
  }

  private async route(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const url = urlOf(request.url);
    if (!url) return void response.writeHead(400).end();
    if (answerCors(request, response, this.options.cors)) return;
    switch (url.pathname) {
      case GRAPHQL_PATH:
        return this.graphql(request, response, url, requestId);
      case '/':
        return this.page(request, response);
      case '/health/live':
        return text(response, 200, 'ok');
      case '/health/ready':
        return this.readiness(response);
      case '/metrics':
        return this.metrics(response);
      default:
        return text(response, 404, 'There is nothing here. GraphQL is at /graphql.');
    }
  }

  private graphql(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    requestId: string,
  ): Promise<void> | void {
    const { accept, authorization } = request.headers;
    // A person's browser, not a program: it gets the page to write operations in.
    if (request.method === 'GET' && !url.search && accept?.includes('text/html'))
      return void response.writeHead(302, { location: '/' }).end();
    if (request.method !== 'GET' && request.method !== 'POST') {
      response.setHeader('allow', 'GET, POST, OPTIONS');
      return text(response, 405, 'Send operations by POST, or queries by GET.');
    }
    const address = this.options.addressOf(request);
    return this.options.endpoint.answer(request, response, url, { authorization, address, requestId });
  }

  private page(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') text(response, 405, 'Send operations to /graphql.');
    else this.landingPage(response);
  }

  private landingPage(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    response.end(this.landing);
  }

  private async readiness(response: ServerResponse): Promise<void> {
    const readiness = await this.options.health.readiness();
    response.writeHead(readiness.ready ? 200 : 503, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
    response.end(JSON.stringify(readiness));
  }

  private async metrics(response: ServerResponse): Promise<void> {
    const { contentType, text: figures } = await this.options.scrape();
    response.writeHead(200, { 'content-type': contentType });
    response.end(figures);
  }
}

const ENDPOINT = new URL(GRAPHQL_PATH, 'http://localhost');

/** A target that is no path, such as `*` or a proxy's absolute URL, is read against a base. */
function urlOf(target = '/'): URL | null {
  // What nearly every request says needs no parsing.
  return target === GRAPHQL_PATH ? ENDPOINT : URL.parse(target, 'http://localhost');
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(body);
}

/**
 * The client's address. Behind proxies of ours, the last of `X-Forwarded-For` that they wrote; what a client wrote
 * itself stands further left and is never believed.
 */
export function addressReader(trustedProxies: number): (request: IncomingMessage) => string {
  return (request) => {
    const direct = request.socket.remoteAddress ?? 'unknown';
    if (trustedProxies === 0) return direct;
    const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
    return forwarded.at(-trustedProxies)?.trim() || direct;
  };
}
