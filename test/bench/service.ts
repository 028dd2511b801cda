import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Environment } from '../../subgraphs/kernel/configuration.js';

const START_DEADLINE_MS = 30_000;
const COMPILED = join(import.meta.dirname, '..', '..');

/** A program of ours as a process of its own, for as long as a benchmark lasts. */
export class Service {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param file below `dist/`; says its address by IPC (`{ url }`) or in its log. @throws when it does not come up */
  static async start(file: string, environment: Environment): Promise<Service> {
    const child = fork(join(COMPILED, file), {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    return new Service(await addressOf(file, child), child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}

function addressOf(file: string, child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const deadline = setTimeout(() => reject(new Error(`${file} was too slow`)), START_DEADLINE_MS);
  child.once('exit', (code, signal) => reject(new Error(`${file} ended with ${code ?? signal}`)));
  child.on('message', (message) => {
    const { url } = message as { url?: string };
    if (url) resolve(url);
  });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    if (said.length > 10_000) return;
    said += chunk.toString();
    const address = /"url":"(http:[^"]+)"/.exec(said)?.[1];
    if (address) resolve(address);
  });
  promise.catch(() => child.kill('SIGKILL')).finally(() => clearTimeout(deadline));
  return promise;
}
