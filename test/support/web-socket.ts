import { WebSocket } from 'ws';

export interface Message {
  type: string;
  id?: string;
  payload?: unknown;
}

export interface RawSocket {
  /** The code that the server closes with. */
  readonly closed: Promise<number>;
  close(): void;
  send(message: Message | string): void;
  /** The next message of the server, in their order. */
  receive(): Promise<Message | undefined>;
  /** All messages that came in these milliseconds, for what must not come. */
  during(ms: number): Promise<Message[]>;
}

export interface SocketOptions {
  readonly headers?: Record<string, string>;
  readonly protocol?: string;
}

/** A client of graphql-transport-ws that speaks the protocol by hand, and wrongly where it likes. */
export async function connect(graph: { readonly url: string }, options: SocketOptions = {}): Promise<RawSocket> {
  const { headers = {}, protocol = 'graphql-transport-ws' } = options;
  const socket = new WebSocket(`${graph.url.replace('http', 'ws')}/graphql`, protocol, { headers });
  const received: Message[] = [];
  let wake: () => void = () => undefined;
  socket.on('message', (text) => {
    received.push(JSON.parse(String(text)) as Message);
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    closed,
    close: () => socket.close(),
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    receive: async () => {
      while (received.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return received.shift();
    },
    during: async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return received.splice(0);
    },
  };
}
