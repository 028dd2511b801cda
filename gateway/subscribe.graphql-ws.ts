import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  GraphQLSchema,
  parse,
} from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { messageOf } from '../subgraphs/kernel/error.js';
import { type Logger, REQUEST_ID_HEADER } from '../subgraphs/kernel/telemetry.js';
import type { OperationRequest } from './admission.js';
import { formatThrown } from './errors.js';
import { type AdmittedArrival, type Arrival, type Operations, requestIdFrom } from './operation.js';
import { operationOf, standInForMalformed } from './operation.shape.js';

export interface WebSocketTransport {
  /** Takes over a socket that asked to speak graphql-transport-ws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells every client to go (1001): graphql-ws clients connect again by themselves. */
  close(): Promise<void>;
}

interface Extra {
  readonly request: IncomingMessage;
}

interface Prepared {
  readonly request: OperationRequest;
  readonly arrived: AdmittedArrival;
}

const KEEP_ALIVE_MS = 12_000;
const GOING_AWAY = 1001;
const FAREWELL_MS = 1_000;
const NOTHING_TO_CHECK = new GraphQLSchema({});
// graphql-ws only reads from it whether a subscription was asked for.
const PLACEHOLDER: Readonly<Record<'query' | 'subscription', DocumentNode>> = {
  query: parse('{ __typename }'),
  subscription: parse('subscription { __typename }'),
};

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
    readonly logger: Logger;
  },
): WebSocketTransport {
  const server = new WebSocketServer({ noServer: true, handleProtocols, maxPayload: options.mostBytes });
  let count = 0;

  const arrivalOf = ({
    extra,
    connectionParams,
  }: {
    extra: Extra;
    connectionParams?: Readonly<Record<string, unknown>>;
  }): Arrival => {
    count += 1;
    return {
      authorization: authorizationOf(connectionParams) ?? extra.request.headers.authorization,
      address: options.addressOf(extra.request),
      // One for each operation: they share the connection's where the client named one.
      requestId: `${requestIdFrom(extra.request.headers[REQUEST_ID_HEADER])}.${count}`,
    };
  };

  const protocol = makeServer<Record<string, unknown>, Extra>({
    async onSubscribe(connection, _id, payload) {
      try {
        const request = operationOf(payload);
        const arrived = await operations.admit(request, arrivalOf(connection));
        const isSubscription = arrived.admitted?.operation.operation === 'subscription';
        const contextValue: Prepared = { request, arrived };
        const document = PLACEHOLDER[isSubscription ? 'subscription' : 'query'];
        return { schema: NOTHING_TO_CHECK, document, contextValue };
      } catch (thrown) {
        const { message, extensions: facts } = formatThrown(thrown, options.logger);
        return [new GraphQLError(message, { extensions: facts })];
      }
    },
    subscribe: run,
    execute: run,
    // Results are in the client's terms already.
    onNext: (_connection, _id, _payload, _args, result) => result,
    jsonMessageReviver: standInForMalformed,
  });

  async function run(args: ExecutionArgs) {
    const { request, arrived } = args.contextValue as Prepared;
    return (await operations.run(request, arrived, 'graphql-ws')) as ExecutionResult;
  }

  const opened = (socket: WebSocket, request: IncomingMessage): void => {
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        // Resolves when the socket has taken it: the next event is only asked for then.
        send: (text) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(text, (error) => (error ? reject(error) : resolve()));
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) => {
          socket.on('message', (message) => {
            receive(String(message)).catch((thrown: unknown) => {
              options.logger.error({ err: thrown }, 'a socket failed');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      { request },
    );
    const stopPinging = ping(socket);
    // A client's own fault, such as a message that is too large: `ws` closes with the fitting code.
    socket.on('error', (error) => options.logger.debug({ cause: messageOf(error) }, 'a socket broke'));
    socket.once('close', (code, reason) => {
      stopPinging();
      closed(code, String(reason)).catch((thrown: unknown) => options.logger.error({ err: thrown }, 'a socket failed'));
    });
  };

  return {
    upgrade(request, socket, head) {
      server.handleUpgrade(request, socket, head, (client) => opened(client, request));
    },
    close: async () => {
      for (const client of server.clients) client.close(GOING_AWAY, 'Going away');
      // One that does not say goodbye is not waited for.
      const timer = setTimeout(() => server.clients.forEach((client) => void client.terminate()), FAREWELL_MS);
      await new Promise((resolve) => server.close(resolve));
      clearTimeout(timer);
    },
  };
}

/** Finds out that a client is gone where no one said so: a missed pong ends its socket. */
function ping(socket: WebSocket): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, KEEP_ALIVE_MS);
  return () => clearInterval(timer);
}

function authorizationOf(parameters: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const value = parameters?.['authorization'] ?? parameters?.['Authorization'];
  return typeof value === 'string' ? value : undefined;
}
