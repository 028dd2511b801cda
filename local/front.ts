import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway } from '../gateway/gateway.js';
import type { Route } from '../subgraphs/kernel/graphql/subgraph.js';
import { answerRoute, listen, send } from '../subgraphs/kernel/graphql/subgraph.server.js';

const GRACE_MS = 5_000;

/** Thrown when somebody else listens where we should. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/**
 * The one HTTP server of a development machine. It listens before anything else is there, so that a taken port is known
 * at once and the outside systems can be told our address; until it is opened it says that it is not ready.
 */
export class Front {
  private routes: readonly Route[] = [];
  private gateway: Gateway | null = null;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @throws PortTaken */
  static async listen(port: number, host: string): Promise<Front> {
    const server = createServer();
    try {
      await listen(server, port, host);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
      throw new PortTaken(`Port ${port} is taken. Stop what listens there, or choose another one: PORT=4001 npm start`);
    }
    // All addresses of the machine is no address that anyone can be told.
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    const front = new Front(server, `http://${name}:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => void front.answer(request, response));
    server.on('upgrade', (request, socket, head) => {
      if (front.gateway) front.gateway.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n');
    });
    return front;
  }

  /** From now on requests are answered: by `routes` where one fits, by the gateway else. */
  open(gateway: Gateway, routes: readonly Route[]): void {
    this.routes = routes;
    this.gateway = gateway;
  }

  /** Ends streams, lets requests under way finish, takes no new ones. */
  async close(): Promise<void> {
    await this.gateway?.drain();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    const lastResort = setTimeout(() => this.server.closeAllConnections(), GRACE_MS);
    await closed;
    clearTimeout(lastResort);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.gateway) return void response.writeHead(503, { 'retry-after': '1' }).end('starting');
    const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname;
    const route = this.routes.find((candidate) => candidate.path === path && candidate.method === request.method);
    if (!route) return this.gateway.answer(request, response);
    send(response, await answerRoute(route, request).catch(() => ({ status: 500 })));
  }
}
