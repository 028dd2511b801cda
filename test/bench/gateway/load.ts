import { connect, type Socket } from 'node:net';
import { MessageReader } from './http.message.js';
import type { Sent, Source } from './load.source.js';
import { coreMs, processorMs } from './process.figures.js';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  /** How long at most. */
  readonly milliseconds: number;
  /**
   * Ends when the first of the watched has used so much processor time: on a machine that others use too, a round is then
   * longer, not emptier.
   */
  readonly processorMs?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: Source;
  /** How long answers are, by the name of what was sent; what has no length here is not measured. */
  readonly lengths: Readonly<Record<string, number>>;
  /** So many answers are kept, to be compared when the clock has stopped. */
  readonly keep: number;
  /** Whose processor time is taken meanwhile: process ids by name. */
  readonly watched: Readonly<Record<string, number>>;
  /** Which cores are looked at meanwhile. */
  readonly cores: readonly number[];
  /** Waits so long after each answer; 0 asks again at once. */
  readonly pauseMs: number;
}

export interface LoadResult {
  readonly answered: number;
  readonly milliseconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that are none: another status, another length, a connection that broke. */
  readonly failures: readonly string[];
  readonly failed: number;
  readonly kept: readonly { readonly asked: Sent['asked']; readonly text: string }[];
  readonly processorMs: Readonly<Record<string, number>>;
  /** How long each core was not idle, whoever used it. */
  readonly coreMs: readonly number[];
}

const LAST_ANSWERS_MS = 30_000;
const KEEP_EVERY = 37;
const READ_BYTES = 64 * 1024;
const MOST_FAILURES_TOLD = 3;
const LOOK_MS = 20;
/** Of each connection, on average: fewer say nothing. */
const LEAST_ANSWERS = 3;

/**
 * Kept connections that each ask again as soon as they are answered. Written by hand over bare sockets: it costs its core
 * about a third of what autocannon does, makes a new body for each request, and looks at each answer.
 */
export class Load {
  private readonly latencies: number[] = [];
  private readonly kept: { asked: Sent['asked']; text: string }[] = [];
  private readonly failures: string[] = [];
  private failed = 0;
  private running = false;
  private readonly stopped = Promise.withResolvers<void>();
  private readonly opening: string;

  constructor(private readonly options: LoadOptions) {
    const { host, pathname } = new URL(options.url);
    const headers = { host, 'content-type': 'application/json', accept: 'application/json', ...options.headers };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.opening = `POST ${pathname} HTTP/1.1\r\n${lines.join('')}content-length: `;
  }

  /** @throws when no connection can be had */
  async run(): Promise<LoadResult> {
    const lines = Array.from({ length: this.options.connections }, () => new Line(this));
    await Promise.all(lines.map((line) => line.open(this.options.url)));
    this.running = true;
    const before = this.times();
    const began = performance.now();
    const ended = Promise.all(lines.map((line) => line.ask()));
    // A source may dry up before the time does.
    const over = Promise.race([ended, this.stopped.promise]);
    const look = setInterval(() => this.stopWhenUsed(before.processorMs), LOOK_MS);
    await within(this.options.milliseconds, over);
    clearInterval(look);
    const milliseconds = performance.now() - began;
    const answered = this.latencies.length;
    const after = this.times();
    this.running = false;
    if (!(await within(LAST_ANSWERS_MS, ended))) this.fail('an answer that never came');
    for (const line of lines) line.close();
    const sorted = Float64Array.from(this.latencies.slice(0, answered)).sort();
    const at = (part: number) => sorted[Math.min(answered - 1, Math.floor(answered * part))] ?? Number.NaN;
    return {
      answered,
      milliseconds,
      p50: at(0.5),
      p99: at(0.99),
      failures: this.failures,
      failed: this.failed,
      kept: this.kept,
      processorMs: Object.fromEntries(
        Object.entries(after.processorMs).map(([name, value]) => [name, value - (before.processorMs[name] ?? 0)]),
      ),
      coreMs: after.coreMs.map((value, index) => value - (before.coreMs[index] ?? 0)),
    };
  }

  /** Ends it before its time. */
  stop(): void {
    this.stopped.resolve();
  }

  /** The next request, as bytes; null when it is over. */
  next(): { sent: Sent; message: string } | null {
    const sent = this.running ? this.options.source() : null;
    return sent && { sent, message: `${this.opening}${sent.body.length}\r\n\r\n${sent.body}` };
  }

  answered(sent: Sent, head: string, body: Buffer, latencyMs: number): void {
    this.latencies.push(latencyMs);
    const length = this.options.lengths[sent.name];
    if (!head.startsWith('HTTP/1.1 200')) this.fail(`${head.slice(0, 40)}: ${body.toString('utf8', 0, 300)}`);
    else if (length !== undefined && body.length !== length)
      this.fail(`${body.length} bytes instead of ${length}: ${body.toString('utf8', 0, 300)}`);
    else if (this.latencies.length % KEEP_EVERY === 0 && this.kept.length < this.options.keep)
      this.kept.push({ asked: sent.asked, text: body.toString('utf8') });
  }

  fail(what: string): void {
    this.failed += 1;
    if (this.failures.length < MOST_FAILURES_TOLD) this.failures.push(what);
  }

  get isRunning(): boolean {
    return this.running;
  }

  get pauseMs(): number {
    return this.options.pauseMs;
  }

  private stopWhenUsed(before: Readonly<Record<string, number>>): void {
    const { processorMs: most, watched, connections } = this.options;
    const [first] = Object.entries(watched);
    if (most === undefined || !first || this.latencies.length < connections * LEAST_ANSWERS) return;
    if (processorMs(first[1]) - (before[first[0]] ?? 0) >= most) this.stop();
  }

  private times() {
    const { watched, cores } = this.options;
    const used = Object.entries(watched).map(([name, pid]) => [name, processorMs(pid)] as const);
    return { processorMs: Object.fromEntries(used), coreMs: cores.map(coreMs) };
  }
}

/** One connection. */
class Line {
  private socket: Socket | null = null;
  private readonly done = Promise.withResolvers<void>();
  private sent: Sent | null = null;
  private sentAt = 0;
  private readonly reader = new MessageReader((head, body) => this.take(head, body));

  constructor(private readonly load: Load) {}

  open(url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (size: number, buffer: Uint8Array) => {
        this.reader.push(Buffer.from(buffer.buffer, buffer.byteOffset, size));
        return true;
      },
    };
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread }, resolve);
    socket.on('error', reject);
    socket.on('close', () => {
      if (this.socket !== socket) return;
      if (this.sent) this.load.fail('a connection was closed under a request');
      this.done.resolve();
    });
    this.socket = socket;
    return promise;
  }

  /** Resolves when it has nothing more to ask. */
  ask(): Promise<void> {
    this.send();
    return this.done.promise;
  }

  close(): void {
    const { socket } = this;
    this.socket = null;
    socket?.destroy();
  }

  private send(): void {
    const next = this.load.next();
    if (!next) {
      this.done.resolve();
      return;
    }
    this.sent = next.sent;
    this.sentAt = performance.now();
    this.socket?.write(next.message, 'latin1');
  }

  private take(head: string, body: Buffer): void {
    const latency = performance.now() - this.sentAt;
    const { sent } = this;
    if (!sent) {
      this.load.fail('an answer that nobody asked for');
      return;
    }
    this.sent = null;
    this.load.answered(sent, head, body, latency);
    if (this.load.pauseMs > 0 && this.load.isRunning) setTimeout(() => this.send(), this.load.pauseMs);
    else this.send();
  }
}

/** Waits no longer than this. @returns whether it came in time */
async function within(milliseconds: number, awaited: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([awaited.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
