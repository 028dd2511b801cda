import { type Dispatcher, Pool } from 'undici';
import { type Carried, parseAnswer, type SubgraphAnswer, type SubgraphTransport } from './fetch.transport.js';

export interface HttpTransport {
  readonly ask: SubgraphTransport;
  close(): Promise<void>;
}

const LARGEST_ANSWER = 32 * 1024 * 1024;
// Deadlines are kept by whoever asks; these only end what no deadline covers any more.
const LONGEST_MS = 60_000;

/** A pool of kept connections to one subgraph. */
export function overHttp(url: string, connections: number): HttpTransport {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections,
    // Idle connections are given up well before a server of ours closes them (65 s): no request meets a closing one.
    keepAliveTimeout: 30_000,
    maxResponseSize: LARGEST_ANSWER,
    headersTimeout: LONGEST_MS,
    bodyTimeout: LONGEST_MS,
  });
  const path = pathname + search;
  return {
    // Not `request`: a stream and a signal for each fetch would cost as much as the fetch itself.
    ask: (request, carried) =>
      new Promise((resolve, reject) => {
        const headers = { ...request.headers, 'content-type': 'application/json', accept: 'application/json' };
        const reading = new AnswerReading(carried, resolve, reject);
        pool.dispatch({ method: 'POST', path, headers, body: request.body }, reading);
      }),
    // What is under way was given its deadline; when the pool is closed nobody waits for it any more.
    close: () => pool.destroy(),
  };
}

/** Reads one answer into a promise. */
class AnswerReading implements Dispatcher.DispatchHandler {
  private statusCode = 0;
  private readonly chunks: Buffer[] = [];
  private stopped = false;

  constructor(
    private readonly carried: Carried,
    private readonly resolve: (answer: SubgraphAnswer) => void,
    private readonly reject: (reason: Error) => void,
  ) {
    // A request that still waits for a connection is dropped as soon as it gets one.
    carried.onStop = () => {
      this.stopped = true;
    };
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.stopped) controller.abort(new Error('stopped'));
    this.carried.onStop = () => controller.abort(new Error('stopped'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.statusCode = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.carried.onStop = null;
    const [first] = this.chunks;
    const bytes = this.chunks.length === 1 && first ? first : Buffer.concat(this.chunks);
    try {
      this.resolve(parseAnswer(bytes.toString('utf8'), this.statusCode));
    } catch (thrown) {
      this.reject(thrown as Error);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.carried.onStop = null;
    this.reject(error);
  }
}
