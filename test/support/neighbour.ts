import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { asServerUser, serverUserFor } from '../../local/postgres.user.js';
import { isAlive } from '../../local/running.js';
import type { SimulatorName } from '../../local/simulators.js';
import type { RunningGraph } from './graph.js';

/** A database writes down all it has before it goes. */
const END_WITHIN_MS = 30_000;

type Variables = Readonly<Record<string, string>>;

/**
 * A process beside the graph, started by it: its database server or an outside system. A test takes it away and brings
 * it back at the same place, as whoever runs it would.
 */
export class Neighbour {
  private child: ChildProcess | null = null;

  private constructor(
    private pid: number,
    private readonly command: readonly [string, ...string[]],
    private readonly variables: Variables,
    private readonly user: { readonly uid?: number; readonly gid?: number } = {},
  ) {}

  static async database(graph: RunningGraph): Promise<Neighbour> {
    const cluster = join(graph.folder, 'postgres', 'cluster');
    const pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
    const [program = '', ...args] = wordsIn(pid, 'cmdline');
    const user = await serverUserFor([dirname(dirname(program)), graph.folder], cluster);
    const owner = user.kind === 'other' ? { uid: user.uid, gid: user.gid } : {};
    return new Neighbour(pid, asServerUser(user, program, args), variablesOf(pid), owner);
  }

  static simulator(graph: RunningGraph, name: SimulatorName): Neighbour {
    // Compiled on its own, or bundled under a name that says where it comes from.
    const script = new RegExp(`connectors[/_]${name}[/_]simulator`);
    const pid = readdirSync('/proc')
      .map(Number)
      .find((each) => each > 0 && isChildOf(each, graph.pid) && script.test(wordsIn(each, 'cmdline').join(' ')));
    if (!pid) throw new Error(`the graph runs no simulator of ${name}`);
    const [program = '', ...args] = wordsIn(pid, 'cmdline');
    // Whoever starts it again has no channel to it.
    const { NODE_CHANNEL_FD: _, NODE_CHANNEL_SERIALIZATION_MODE: __, ...variables } = variablesOf(pid);
    return new Neighbour(pid, [program, ...args], { ...variables, PORT: String(portOf(pid)) });
  }

  /** Returns when it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (!isAlive(this.pid)) return;
    process.kill(this.pid, signal);
    for (let waited = 0; isAlive(this.pid); waited += 20) {
      if (waited > END_WITHIN_MS) throw new Error(`${this.command.join(' ')} does not end`);
      await delay(20);
    }
  }

  /** It answers nobody, but keeps its connections. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Brings it back; it may take a moment before it answers. */
  async startAgain(): Promise<void> {
    const [program, ...args] = this.command;
    this.child = spawn(program, args, { env: { ...this.variables }, stdio: 'ignore', ...this.user });
    await once(this.child, 'spawn');
    this.pid = this.child.pid ?? 0;
  }
}

function wordsIn(pid: number, file: 'cmdline' | 'environ'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

function variablesOf(pid: number): Variables {
  return Object.fromEntries(
    wordsIn(pid, 'environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function isChildOf(pid: number, parent: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`);
  } catch {
    return false;
  }
}

/** The port that a process listens on: its sockets are known by their inodes. */
function portOf(pid: number): number {
  const sockets = readdirSync(`/proc/${pid}/fd`).map(
    (fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1],
  );
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const listening = lines.find(([, , , state, , , , , , inode]) => state === '0A' && sockets.includes(inode));
  return Number.parseInt(listening?.[1]?.split(':')[1] ?? '', 16);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
