import { connect, type Socket } from 'node:net';
import type { Arrivals } from './subscriber.arrivals.js';

export type Protocol = 'graphql-ws' | 'sse';

export interface SubscriberOptions {
  readonly url: string;
  /** What each of its subscriptions follows. SSE has one for each connection. */
  readonly keys: readonly string[];
  readonly arrivals: Arrivals;
}

const QUERY =
  'subscription PriceChanged($upc: ID!) { priceChanged(upc: $upc) { sequence product { upc name price } } }';
// One for all: each read is looked at before the next one.
const memory = Buffer.allocUnsafe(256 * 1024);

/** One connection with one or more subscriptions. Bare sockets: ten thousand of them share half a machine with others. */
export abstract class Subscriber {
  protected readonly socket: Socket;
  protected readonly opened = Promise.withResolvers<void>();
  private closing = false;

  constructor(protected readonly options: SubscriberOptions) {
    const { hostname, port } = new URL(options.url);
    const callback = (size: number, bytes: Uint8Array): boolean => {
      this.read(Buffer.from(bytes.buffer, bytes.byteOffset, size));
      return true;
    };
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true, onread: { buffer: memory, callback } });
    this.socket.on('error', (error) => this.ended(error.message));
    this.socket.on('close', () => this.ended('closed'));
  }

  /** Resolves when it has sent its subscriptions and was not refused so far. */
  open(): Promise<void> {
    this.greet();
    return this.opened.promise;
  }

  close(): void {
    this.closing = true;
    this.socket.destroy();
  }

  protected abstract greet(): void;
  protected abstract read(bytes: Buffer): void;

  protected payload(key: string): string {
    return JSON.stringify({ query: QUERY, variables: { upc: key } });
  }

  protected ended(why: string): void {
    if (this.closing) return;
    this.closing = true;
    this.options.arrivals.ended(why);
    this.opened.reject(new Error(why));
    this.socket.destroy();
  }
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export class WebSocketSubscriber extends Subscriber {
  private rest: Buffer | null = null;
  private upgraded = false;

  protected greet(): void {
    const { host, pathname } = new URL(this.options.url);
    this.socket.write(
      `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\nconnection: upgrade\r\n` +
        'sec-websocket-key: c29qb3VybiBiZW5jaCAxMQ==\r\nsec-websocket-version: 13\r\n' +
        'sec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    );
  }

  protected read(chunk: Buffer): void {
    let bytes = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = null;
    if (!this.upgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.rest = Buffer.from(bytes);
        return;
      }
      const status = bytes.toString('latin1', 0, 60);
      if (!status.startsWith('HTTP/1.1 101')) {
        this.ended(status);
        return;
      }
      this.upgraded = true;
      this.send(TEXT, '{"type":"connection_init"}');
      bytes = bytes.subarray(end + 4);
    }
    const used = this.frames(bytes);
    if (used < bytes.length) this.rest = Buffer.from(bytes.subarray(used));
  }

  /** @returns how many bytes were whole frames */
  private frames(bytes: Buffer): number {
    let at = 0;
    while (at + 2 <= bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + header > bytes.length) break;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const end = at + header + length;
      if (end > bytes.length) break;
      this.frame((bytes[at] ?? 0) & 0x0f, bytes, at + header, end);
      at = end;
    }
    return at;
  }

  private frame(kind: number, bytes: Buffer, start: number, end: number): void {
    // Events first: there are a million of them for each other message.
    if (kind === TEXT && this.options.arrivals.take(bytes, start, end)) return;
    const text = bytes.toString('latin1', start, end);
    if (kind === PING) this.send(PONG, text);
    else if (kind === CLOSE) this.ended(`closed: ${text.slice(2)}`);
    else if (text.includes('"connection_ack"')) this.subscribe();
    else if (text.includes('"type":"next"')) this.options.arrivals.failed(text);
    else this.ended(text);
  }

  private subscribe(): void {
    for (const [index, key] of this.options.keys.entries())
      this.send(TEXT, `{"id":"${index}","type":"subscribe","payload":${this.payload(key)}}`);
    this.opened.resolve();
  }

  /** Masked, as a client must, with a mask that changes nothing. */
  private send(kind: number, text: string): void {
    const length = text.length;
    const header = length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    header[0] = 0x80 | kind;
    header[1] = 0x80 | (length < 126 ? length : 126);
    if (length >= 126) header.writeUInt16BE(length, 2);
    this.socket.write(Buffer.concat([header, Buffer.from(text, 'latin1')]));
  }
}

const LONGEST_EVENT = 512;

export class SseSubscriber extends Subscriber {
  private rest = '';
  private started = false;

  protected greet(): void {
    const { host, pathname } = new URL(this.options.url);
    const body = this.payload(this.options.keys[0] ?? '');
    this.socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\naccept: text/event-stream\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
  }

  protected read(chunk: Buffer): void {
    const text = this.rest + chunk.toString('latin1');
    if (!this.started) {
      if (!text.includes('\r\n\r\n')) {
        this.rest = text;
        return;
      }
      if (!text.startsWith('HTTP/1.1 200')) {
        this.ended(text.slice(0, 300));
        return;
      }
      this.started = true;
      this.opened.resolve();
    }
    const complete = text.lastIndexOf('\n\n');
    this.rest = text.slice(complete < 0 ? 0 : complete + 2).slice(-LONGEST_EVENT);
    if (complete < 0) return;
    const events = text.slice(0, complete);
    const bytes = Buffer.from(events, 'latin1');
    this.options.arrivals.take(bytes, 0, bytes.length);
    for (const [error] of events.matchAll(/data: \{"errors".*/g)) this.options.arrivals.failed(error);
    if (events.includes('event: complete')) this.ended(events.slice(-LONGEST_EVENT));
  }
}
