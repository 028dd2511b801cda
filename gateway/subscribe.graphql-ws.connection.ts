import type { Duplex } from 'node:stream';
import { CloseCode, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { messageOf } from '../subgraphs/kernel/error.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { Presence } from './context.js';
import { formatThrown } from './errors.js';
import type { Arrival, Operations, Outcome } from './operation.js';
import { operationOf, standInForMalformed } from './operation.shape.js';
import { Answer } from './subscribe.answer.js';
import type { Beating, Heartbeats } from './subscribe.heartbeat.js';
import { type Sink, SubscriptionStream } from './subscribe.stream.js';
import type { Tracer } from './trace.js';

export interface ConnectionOptions {
  readonly operations: Operations;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly tracer?: Tracer;
}

const INITIALISATION_MS = 3_000;
const BEAT_MS = 12_000;

/**
 * One client's socket, by graphql-ws's PROTOCOL.md. Not graphql-ws's own server: that keeps a message, a running loop and
 * several functions for each subscription, and writes each event's text for each of them.
 */
export class GraphqlWsConnection implements Beating {
  private readonly operations = new Map<string, SocketOperation>();
  private initialisation: NodeJS.Timeout | null = null;
  private isAcknowledged = false;
  private isAlive = true;
  private isCorked = false;
  private count = 0;

  constructor(
    private readonly socket: WebSocket,
    /** What lies under it: it knows whether the client reads. */
    private readonly wire: Duplex,
    private readonly opening: {
      authorization: string | undefined;
      readonly address: string;
      readonly requestId: string;
    },
    private readonly options: ConnectionOptions,
  ) {}

  open(): void {
    const { socket, wire, options } = this;
    if (!socket.protocol) return void socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
    this.initialisation = setTimeout(
      () => socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
      INITIALISATION_MS,
    );
    options.heartbeats.add(this, BEAT_MS);
    socket.on('message', (message) => this.receive(String(message)));
    socket.on('pong', () => {
      this.isAlive = true;
    });
    // A client's own fault, such as a message that is too large: `ws` closes with the fitting code.
    socket.on('error', (error) => options.logger.debug({ cause: messageOf(error) }, 'a socket broke'));
    socket.once('close', () => this.closed());
    wire.on('drain', () => {
      for (const operation of this.operations.values()) operation.resume();
    });
  }

  /** Finds out that a client is gone where no one said so: a missed pong ends its socket. */
  beat(): void {
    if (!this.isAlive) return void this.socket.terminate();
    this.isAlive = false;
    this.socket.ping();
  }

  /** False: the client does not keep up. */
  send(message: string): boolean {
    const { socket, wire } = this;
    if (socket.readyState !== socket.OPEN) return true;
    if (!this.isCorked) {
      // What many operations say within one turn goes out together.
      this.isCorked = true;
      wire.cork();
      process.nextTick(() => {
        this.isCorked = false;
        wire.uncork();
      });
    }
    socket.send(message);
    return !wire.writableNeedDrain;
  }

  /** Whether this operation has not been completed, by either side. */
  has(operation: SocketOperation): boolean {
    return this.operations.get(operation.id) === operation;
  }

  forget(operation: SocketOperation): void {
    if (this.has(operation)) this.operations.delete(operation.id);
  }

  private receive(text: string): void {
    let message: ReturnType<typeof parseMessage>;
    try {
      message = parseMessage(text, standInForMalformed);
    } catch {
      return void this.socket.close(CloseCode.BadRequest, 'Invalid message received');
    }
    switch (message.type) {
      case MessageType.ConnectionInit:
        return void this.initialise(message.payload);
      case MessageType.Ping:
        return void this.send(JSON.stringify({ type: MessageType.Pong, payload: message.payload }));
      case MessageType.Pong:
        return;
      case MessageType.Subscribe:
        return void this.subscribe(message);
      case MessageType.Complete:
        return void this.operations.get(message.id)?.leave();
      default:
        return void this.socket.close(CloseCode.BadRequest, 'Invalid message received');
    }
  }

  private initialise(payload: Readonly<Record<string, unknown>> | undefined): void {
    if (!this.initialisation)
      return void this.socket.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
    clearTimeout(this.initialisation);
    this.initialisation = null;
    const authorization = payload?.['authorization'] ?? payload?.['Authorization'];
    if (typeof authorization === 'string') this.opening.authorization = authorization;
    this.isAcknowledged = true;
    this.send('{"type":"connection_ack"}');
  }

  private subscribe({ id, payload }: SubscribeMessage): void {
    if (!this.isAcknowledged) return void this.socket.close(CloseCode.Unauthorized, 'Unauthorized');
    if (this.operations.has(id))
      return void this.socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    const operation = new SocketOperation(this, id);
    this.operations.set(id, operation);
    this.count += 1;
    // One request id for each operation: they share the connection's where the client named one.
    const requestId = `${this.opening.requestId}.${this.count}`;
    void this.run(operation, payload, { ...this.opening, requestId, signal: operation });
  }

  private async run(operation: SocketOperation, payload: unknown, arrival: Arrival): Promise<void> {
    const { operations, logger, tracer } = this.options;
    // A socket has a header of its own; what it is asked later comes without any.
    const span = tracer?.begin('request', { 'network.protocol.name': 'graphql-ws' }, {});
    try {
      const request = operationOf(payload);
      const arrived = await operations.admit(request, span ? { ...arrival, span } : arrival);
      operation.show(await operations.run(request, arrived, 'graphql-ws'));
    } catch (thrown) {
      operation.refuse(JSON.stringify([formatThrown(thrown, logger)]));
    } finally {
      span?.end();
    }
  }

  private closed(): void {
    if (this.initialisation) clearTimeout(this.initialisation);
    this.options.heartbeats.remove(this, BEAT_MS);
    for (const operation of [...this.operations.values()]) operation.leave();
  }
}

/** One operation of a socket, until either side completes it. */
class SocketOperation implements Sink, Presence {
  private stream: SubscriptionStream | null = null;
  private isFull = false;

  constructor(
    private readonly connection: GraphqlWsConnection,
    readonly id: string,
  ) {}

  get aborted(): boolean {
    return !this.connection.has(this);
  }

  show(outcome: Outcome): void {
    if (!(outcome instanceof SubscriptionStream)) return void this.end(new Answer(outcome));
    this.stream = outcome;
    if (this.aborted) outcome.leave();
    else outcome.flowTo(this);
  }

  /** An error ends an operation: no `complete` follows. */
  refuse(errors: string): void {
    if (this.aborted) return;
    this.connection.send(`{"id":${JSON.stringify(this.id)},"type":"error","payload":${errors}}`);
    this.connection.forget(this);
  }

  take(answer: Answer): boolean {
    const hasRoom = this.connection.send(`{"id":${JSON.stringify(this.id)},"type":"next","payload":${answer.json}}`);
    this.isFull = !hasRoom;
    return hasRoom;
  }

  end(last: Answer | null): void {
    if (this.aborted) return;
    if (last) this.take(last);
    this.connection.send(`{"id":${JSON.stringify(this.id)},"type":"complete"}`);
    this.connection.forget(this);
  }

  resume(): void {
    if (!this.isFull) return;
    this.isFull = false;
    this.stream?.resume();
  }

  leave(): void {
    this.connection.forget(this);
    this.stream?.leave();
  }
}
