import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { closesInOrder } from '../subgraphs/kernel/server.close.js';

const GRACE_MS = 5_000;

/** Thrown when somebody else listens where we should. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** Whoever answers what comes in. */
export interface Answering {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all streams: their clients resume elsewhere. */
  drain(): Promise<void>;
}

/**
 * The one HTTP server of a development machine. It listens before anything else is there, so that a taken port is known
 * at once and the outside systems can be told our address; until it is opened it says that it is not ready.
 */
export class Front {
  private answering: Answering | null = null;

  private constructor(
    readonly url: string,
    private readonly closeServer: () => Promise<void>,
  ) {}

  /** @throws PortTaken */
  static async listen(port: number, host: string): Promise<Front> {
    const server = createServer();
    const closeServer = closesInOrder(server, GRACE_MS);
    try {
      server.listen(port, host);
      await once(server, 'listening');
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
      throw new PortTaken(`Port ${port} is taken. Stop what listens there, or choose another one: PORT=4001 npm start`);
    }
    // All addresses of the machine is no address that anyone can be told.
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    const front = new Front(`http://${name}:${(server.address() as AddressInfo).port}`, closeServer);
    server.on('request', (request, response) => {
      if (front.answering) void front.answering.answer(request, response);
      else response.writeHead(503, { 'retry-after': '1' }).end('starting');
    });
    server.on('upgrade', (request, socket, head) => {
      if (front.answering) front.answering.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n');
    });
    return front;
  }

  /** From now on requests are answered. */
  open(answering: Answering): void {
    this.answering = answering;
  }

  /** Ends streams, lets requests under way finish, takes no new ones. */
  async close(): Promise<void> {
    await this.answering?.drain();
    await this.closeServer();
  }
}
