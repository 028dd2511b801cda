import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { type Logger, REQUEST_ID_HEADER } from '../subgraphs/kernel/telemetry.js';
import { type Operations, requestIdFrom } from './operation.js';
import { endInTurns } from './subscribe.drain.js';
import { GraphqlWsConnection } from './subscribe.graphql-ws.connection.js';
import type { Heartbeats } from './subscribe.heartbeat.js';
import type { Tracer } from './trace.js';

export interface WebSocketTransport {
  /** Takes over a socket that asked to speak graphql-transport-ws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells every client, some at a time, that we start again (1012): graphql-ws clients come back by themselves. */
  close(): Promise<void>;
}

const SERVICE_RESTART = 1012;
const FAREWELL_MS = 1_000;

/**
 * graphql-ws: subscriptions, queries and mutations over one socket. The token comes in connection_init's payload, where
 * browsers can put it, or in the upgrade's headers. There is no Origin check: no cookie is ever believed, so another
 * site's page can do nothing here in a visitor's name.
 */
export function overWebSocket(
  operations: Operations,
  options: {
    readonly mostBytes: number;
    readonly addressOf: (request: IncomingMessage) => string;
    readonly heartbeats: Heartbeats;
    readonly logger: Logger;
    readonly tracer?: Tracer;
  },
): WebSocketTransport {
  const server = new WebSocketServer({ noServer: true, handleProtocols, maxPayload: options.mostBytes });
  const { heartbeats, logger, tracer } = options;
  const shared = { operations, heartbeats, logger, tracer };
  return {
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (client) => {
        const opening = {
          authorization: request.headers.authorization,
          address: options.addressOf(request),
          requestId: requestIdFrom(request.headers[REQUEST_ID_HEADER]),
        };
        new GraphqlWsConnection(client, socket, opening, shared).open();
      });
    },
    close: async () => {
      await endInTurns(server.clients, (client) => client.close(SERVICE_RESTART, 'Service restart'));
      // One that does not say goodbye is not waited for.
      const timer = setTimeout(() => server.clients.forEach((client) => void client.terminate()), FAREWELL_MS);
      await new Promise((resolve) => server.close(resolve));
      clearTimeout(timer);
    },
  };
}
