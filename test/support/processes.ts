import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { root } from './sources.js';

// As the bootstrap sets it: starting is half as long.
export const CACHE = join(root, 'node_modules', '.cache', 'compiled');
/** What Node is started with for a program of ours, as by the bootstrap: its packages come from their bundle. */
export const PROGRAM_FLAGS = [`--import=${pathToFileURL(join(root, 'local', 'bootstrap.hook.mjs')).href}`];

/** A program of ours as a process of its own, with all it said. */
export class Program {
  private text = '';

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk.toString();
      });
  }

  /** @param file a compiled file below `dist/` */
  static start(file: string, environment: Readonly<Record<string, string>>): Program {
    return Program.spawn(process.execPath, [...PROGRAM_FLAGS, join(root, 'dist', file)], environment);
  }

  static spawn(
    command: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    cwd = root,
  ): Program {
    // Nothing of the test's own environment but what finds programs: the file's environment must be enough.
    const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], NODE_COMPILE_CACHE: CACHE, ...environment };
    return new Program(spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env }));
  }

  get said(): string {
    return this.text;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for words of it. @throws what it said when it ends or takes too long instead */
  async says(words: RegExp, deadlineMs = 20_000): Promise<RegExpExecArray> {
    // By the clock: on a busy machine a short sleep is a long one.
    for (const deadline = Date.now() + deadlineMs; ; ) {
      const found = words.exec(this.text);
      if (found) return found;
      if (this.hasEnded || Date.now() > deadline) throw new Error(`it did not say ${words}, but:\n${this.text}`);
      await delay(20);
    }
  }

  /** Its exit code, or the signal that ended it. */
  async end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (this.hasEnded) return this.child.exitCode ?? this.child.signalCode;
    const gone = once(this.child, 'exit');
    if (signal) this.child.kill(signal);
    const [code, endedBy] = (await gone) as [number | null, NodeJS.Signals | null];
    return code ?? endedBy;
  }
}

/** Every process whose command line or environment names `text`, but our own: so what was left behind is seen. */
export function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      const [command, environment] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
      return `${command}${environment}`.includes(text) ? [`${pid} ${command.replaceAll('\0', ' ')}`] : [];
    });
}

/** Waits until there is none. @throws Error that names those that stay */
export async function noProcessNames(text: string, deadlineMs = 10_000): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    const left = processesNaming(text);
    if (left.length === 0) return;
    if (waited > deadlineMs) throw new Error(`still there:\n${left.join('\n')}`);
    await delay(50);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Gone, or another user's.
    return '';
  }
}
