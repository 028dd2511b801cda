import { readdirSync, readFileSync } from 'node:fs';
import { totalProcessorMs } from '../gateway/process.figures.js';

// Linux only: it reads /proc.

export const parts = ['graph', 'PostgreSQL', 'outside', 'load'] as const;
export type Part = (typeof parts)[number];

/** What the processes of each part have used so far, and hold now. */
export interface Usage {
  /** Milliseconds of processor time, all threads. */
  readonly processorMs: Readonly<Record<Part, number>>;
  /** What is their own alone (anonymous pages), in bytes: shared buffers and programs are not counted. */
  readonly memoryBytes: Readonly<Record<Part, number>>;
  /** Processor time of the whole machine, whoever used it. */
  readonly machineMs: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly processorMs: number;
  readonly memoryBytes: number;
}

const TICK_MS = 10;

/** This process is the load; all others of the benchmark are below it. */
export function usage(): Usage {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
  const processorMs = { graph: 0, PostgreSQL: 0, outside: 0, load: 0 };
  const memoryBytes = { graph: 0, PostgreSQL: 0, outside: 0, load: 0 };
  for (const one of belonging(all)) {
    const part = partOf(one);
    processorMs[part] += one.processorMs;
    memoryBytes[part] += one.memoryBytes;
  }
  return { processorMs, memoryBytes, machineMs: totalProcessorMs() };
}

function partOf({ pid, command }: Process): Part {
  if (pid === process.pid) return 'load';
  if (command.includes('postgres')) return 'PostgreSQL';
  return /[/_]simulator[/_]/.test(command) ? 'outside' : 'graph';
}

/** This process and all below it. */
function belonging(all: readonly Process[]): readonly Process[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const below = (pid: number): Process[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === process.pid), ...below(process.pid)];
}

/** Null when it is gone meanwhile. */
function processOf(pid: number): Process | null {
  try {
    // Behind the program's name, which may hold blanks and parentheses.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ').map(Number) ?? [];
    // With what its ended children have used: PostgreSQL has a process for each connection.
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
    const own = [11, 12].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const kib = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      pid,
      parent: fields[1] ?? 0,
      command,
      processorMs: (command.includes('postgres') ? ticks : own) * TICK_MS,
      memoryBytes: Number(kib ?? 0) * 1_024,
    };
  } catch {
    return null;
  }
}
