import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../subgraphs/kernel/configuration.js';
import { freePort } from './running.js';

// Meanwhile we read the heavy half of the program, and hear nothing: on a busy machine for many seconds.
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;

export type SimulatorName = 'paypal' | 'wechat-pay';

/** The other side of a connector: a simulator of ours, or the real one at its own address. */
export interface OutsideSystem {
  readonly url: string;
  /** Until then nobody answers there. @throws Error when it does not come up */
  start(): Promise<void>;
  /** What it believes: its orders, captures, transactions, refunds. Null where nobody tells. */
  books(): Promise<unknown>;
  stop(): Promise<void>;
}

/** The other side of a connector, as a process of its own: it keeps its books whatever happens to the graph. */
export class Simulator implements OutsideSystem {
  private child: ChildProcess | null = null;
  private stopped = false;

  private constructor(
    readonly name: SimulatorName,
    readonly url: string,
    private readonly booksFolder: string,
    private readonly environment: Environment,
  ) {}

  /**
   * On a free port; not started yet.
   * @param booksFolder where it writes what it believes; found again at the next start
   */
  static async prepare(name: SimulatorName, booksFolder: string, environment: Environment): Promise<Simulator> {
    return new Simulator(name, `http://127.0.0.1:${await freePort()}`, booksFolder, environment);
  }

  async start(): Promise<void> {
    const { name, booksFolder, environment } = this;
    await mkdir(booksFolder, { recursive: true });
    if (this.stopped) return;
    const script = fileURLToPath(import.meta.resolve(`../connectors/${name}/simulator/main.js`));
    const child = fork(script, {
      // Only what it is told: none of our own secrets reach the other side.
      env: {
        PATH: process.env['PATH'],
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        PORT: new URL(this.url).port,
        ...environment,
        BOOKS_DIR: booksFolder,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // A Ctrl+C in a terminal must reach only us: the simulator still answers while we finish.
      detached: true,
    });
    this.child = child;
    await comesUp(name, child);
    child.once('exit', (code, signal) => {
      if (!child.killed) process.stderr.write(`sojourn: the ${name} simulator ended with ${code ?? signal}\n`);
    });
  }

  async books(): Promise<unknown> {
    const answer = await fetch(`${this.url}/books`, { signal: AbortSignal.timeout(5_000) });
    return answer.json();
  }

  /** Lets it finish what is under way; returns when the process is gone. */
  async stop(): Promise<void> {
    this.stopped = true;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(lastResort);
  }
}

/** Where the environment says that it is: what is there is nobody's to start, stop or look into. */
export function elsewhere(url: string): OutsideSystem {
  return { url, start: async () => undefined, books: async () => null, stop: async () => undefined };
}

function comesUp(name: SimulatorName, child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (cause: string) => reject(new Error(`The ${name} simulator did not start: ${cause}`));
  const deadline = setTimeout(() => fail('it was too slow'), START_DEADLINE_MS);
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => fail(`it ended with ${code ?? signal}`));
  // Its address, which we know.
  child.once('message', () => resolve());
  promise.catch(() => child.kill('SIGKILL')).finally(() => clearTimeout(deadline));
  return promise;
}
