import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const START_DEADLINE_MS = 180_000;
const COMPILED = join(import.meta.dirname, '..', '..', '..');

export interface StartOptions {
  /** Below `dist/`, or absolute. */
  readonly file: string;
  /** The only core it may use; null lets it run anywhere. */
  readonly core: number | null;
  readonly environment?: Readonly<Record<string, string>>;
  /** For Node itself, such as `--expose-gc`. */
  readonly flags?: readonly string[];
  /** What it prints is not shown; its errors are. */
  readonly quiet?: boolean;
}

/** A program of the benchmark, pinned to a core for its whole life. */
export class Started<Hello extends object> {
  private asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    /** What it said when it was ready: where it listens, mostly. */
    readonly hello: Hello,
  ) {
    // Many questions may be under way, each with a listener of its own.
    child.setMaxListeners(0);
  }

  /** @throws when it ends or says nothing for three minutes */
  static async run<Hello extends object>({
    file,
    core,
    environment,
    flags = [],
    quiet = false,
  }: StartOptions): Promise<Started<Hello>> {
    const node = [process.execPath, ...flags];
    const [command = '', ...before] = core === null ? node : ['taskset', '-c', String(core), ...node];
    const child = fork(file.startsWith('/') ? file : join(COMPILED, file), {
      // taskset becomes Node: the process id is that of what is measured.
      execPath: command,
      execArgv: before,
      env: {
        PATH: process.env['PATH'],
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        NODE_ENV: 'production',
        APOLLO_TELEMETRY_DISABLED: 'true',
        ...environment,
      },
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit', 'ipc'],
    });
    return new Started<Hello>(child, await helloOf<Hello>(file, child));
  }

  get pid(): number {
    return this.child.pid ?? Number.NaN;
  }

  /** Asks it something by name. @throws what went wrong there, or that it ended */
  async ask<Answer>(ask: string, request: object = {}): Promise<Answer> {
    this.asked += 1;
    const id = this.asked;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const answered = (message: unknown) => {
      const reply = message as { id?: number; answer?: Answer; failure?: string };
      if (reply.id !== id) return;
      if (reply.failure !== undefined) reject(new Error(`${ask}: ${reply.failure}`));
      else resolve(reply.answer as Answer);
    };
    const ended = () => reject(new Error(`${ask}: the process ended`));
    this.child.on('message', answered);
    this.child.once('exit', ended);
    this.child.send({ ...request, ask, id });
    try {
      return await promise;
    } finally {
      this.child.off('message', answered);
      this.child.off('exit', ended);
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}

function helloOf<Hello>(file: string, child: ChildProcess): Promise<Hello> {
  const { promise, resolve, reject } = Promise.withResolvers<Hello>();
  const deadline = setTimeout(() => reject(new Error(`${file} was too slow`)), START_DEADLINE_MS);
  child.once('error', reject);
  child.once('exit', (code, signal) => reject(new Error(`${file} ended with ${code ?? signal}`)));
  child.once('message', (message) => resolve(message as Hello));
  promise.catch(() => child.kill('SIGKILL')).finally(() => clearTimeout(deadline));
  return promise;
}
