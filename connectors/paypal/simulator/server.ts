import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { internalError, Refusal } from './refusal.js';

const LARGEST_BODY = 1024 * 1024;
const PATIENCE_MS = 2_000;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The parts of the path that the route left open. */
  readonly params: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** An object is sent as JSON, a text as it stands. */
  readonly body?: object | string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Matches a whole path; its groups become `params`. */
  readonly path: RegExp;
  answer(call: Call): Reply | Promise<Reply>;
}

/** Answers HTTP by a list of routes; a Refusal thrown becomes PayPal's error body. */
export class SimulatorServer {
  private readonly server: Server;

  constructor(private readonly routes: readonly Route[]) {
    this.server = createServer((request, response) => void this.respond(request, response));
    // Longer than clients keep an idle connection, so that none is closed under a request.
    this.server.keepAliveTimeout = 65_000;
  }

  /** @returns the port, drawn by the system when `port` is 0 @throws what the operating system says */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no new connection, answers what is under way; callers who do not finish their request are cut off. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    const idle = setInterval(() => this.server.closeIdleConnections(), 20);
    const stuck = setTimeout(() => this.server.closeAllConnections(), PATIENCE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(stuck);
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const debugId = randomBytes(7).toString('hex');
    // A caller that goes away does not undo what it asked for.
    response.on('error', () => undefined);
    const reply = await this.reply(request).catch((thrown: unknown): Reply => {
      const refusal = thrown instanceof Refusal ? thrown : internalError();
      if (refusal !== thrown) process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
      return { status: refusal.status, body: refusal.toBody(debugId) };
    });
    const isText = typeof reply.body === 'string';
    response.writeHead(reply.status, {
      'paypal-debug-id': debugId,
      ...(reply.body !== undefined && { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' }),
    });
    response.end(reply.body === undefined || isText ? reply.body : JSON.stringify(reply.body));
  }

  private async reply(request: IncomingMessage): Promise<Reply> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const matching = this.routes.filter(({ path }) => path.test(pathname));
    const route = matching.find(({ method }) => method === request.method);
    if (!route)
      throw matching.length > 0 ? new Refusal(405, 'METHOD_NOT_SUPPORTED') : Refusal.of('INVALID_RESOURCE_ID');
    return route.answer({
      method: route.method,
      path: pathname,
      query: searchParams,
      params: route.path.exec(pathname)?.slice(1) ?? [],
      headers: request.headers,
      body: await bodyOf(request),
    });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Refusal(413, 'REQUEST_ENTITY_TOO_LARGE');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
