import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FaultPoint, faultPoints } from '../../subgraphs/kernel/fault.js';
import type { Order, Plan } from './crash.entry.js';
import { CACHE, PROGRAM_FLAGS } from './processes.js';
import { root } from './sources.js';

const ENTRY = join(root, 'dist', 'subgraphs', 'payments', 'main.js');
const FAULTS = pathToFileURL(join(root, 'dist', 'test', 'support', 'crash.entry.js')).href;
/** A port that nothing listens on. */
export const NOWHERE = 'http://127.0.0.1:9';
const START_WITHIN_MS = 60_000;
const DIE_WITHIN_MS = 20_000;

/**
 * payments as a service of its own, by its own entry, that can be told to die at a fault point. It is loaded first and
 * started later: so the next process is ready when the last one dies.
 */
export class PaymentsProcess {
  private said = '';
  private address: string | null = null;
  private readonly loaded: Promise<unknown>;
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly reachedFile: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.said += chunk.toString();
      });
    this.loaded = once(child, 'message');
    // Who waits for it hears of it; who does not is not to be thrown at.
    this.loaded.catch(() => undefined);
    this.ended = once(child, 'exit');
  }

  /** @param reachedFile where it writes each fault point that it passes */
  static load(environment: NodeJS.ProcessEnv, reachedFile: string): PaymentsProcess {
    const child = fork(ENTRY, {
      execPath: process.execPath,
      execArgv: [...PROGRAM_FLAGS, '--import', FAULTS],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'],
        TMPDIR: process.env['TMPDIR'],
        NODE_COMPILE_CACHE: CACHE,
        ...environment,
        REACHED_FILE: reachedFile,
      },
    });
    return new PaymentsProcess(child, reachedFile);
  }

  /** Where it listens; nobody is there as long as it does not. */
  get url(): string {
    return this.address ?? NOWHERE;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /**
   * Lets it run, with a place to die where one is named.
   * @returns whether it came up; else it died where it was told to
   */
  async start(plan: Plan | null = null): Promise<boolean> {
    await this.within(START_WITHIN_MS, 'load', this.loaded);
    this.tell({ plan });
    for (const deadline = Date.now() + START_WITHIN_MS; ; ) {
      this.address = /"url":"(http:[^"]+)","msg":"listening"/.exec(this.said)?.[1] ?? null;
      if (this.address) return true;
      if (this.hasEnded && plan && this.child.signalCode === 'SIGKILL') return false;
      if (this.hasEnded || Date.now() > deadline) throw new Error(`payments did not come up:\n${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** From now on it dies there. */
  async strikeAt(plan: Plan): Promise<void> {
    const obeyed = once(this.child, 'message');
    this.tell({ plan });
    await this.within(START_WITHIN_MS, 'obey', Promise.race([obeyed, this.ended]));
  }

  /** @returns whether it died within that time */
  async diesWithin(ms: number = DIE_WITHIN_MS): Promise<boolean> {
    await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
    return this.hasEnded;
  }

  /** How often it has passed each fault point. */
  reached(): ReadonlyMap<FaultPoint, number> {
    const counts = new Map<FaultPoint, number>();
    for (const line of readFileSync(this.reachedFile, 'utf8').split('\n')) {
      const point = faultPoints.find((each) => each === line);
      if (point) counts.set(point, (counts.get(point) ?? 0) + 1);
    }
    return counts;
  }

  /** Ends it, whatever it does. */
  async kill(): Promise<void> {
    if (!this.hasEnded) this.child.kill('SIGKILL');
    await this.ended;
  }

  private tell(order: Order): void {
    this.child.send(order, () => undefined);
  }

  private async within(ms: number, what: string, wanted: Promise<unknown>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`payments did not ${what}:\n${this.said}`)), ms);
    try {
      await Promise.race([wanted, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
