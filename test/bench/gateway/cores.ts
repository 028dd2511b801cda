import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Who runs on which core. What is measured has one to itself. */
export interface Cores {
  readonly contender: number;
  readonly subgraphs: number;
  readonly load: number;
}

/** Null where processes cannot be pinned: without taskset, or with one core only. */
export function readCores(): Cores | null {
  if (spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status !== 0) return null;
  const allowed = allowedCores();
  const [first, second] = allowed;
  const last = allowed.at(-1);
  if (first === undefined || second === undefined || last === undefined) return null;
  // The first core usually serves the interrupts, so the measured one is the last.
  return { contender: last, subgraphs: first, load: allowed.length > 2 ? second : first };
}

export function describeCores(cores: Cores | null): string {
  if (!cores) return 'NOT PINNED: taskset is missing or there is one core only. Contenders may use more than one core.';
  const beside =
    cores.load === cores.subgraphs
      ? `load and subgraphs share core ${cores.load}`
      : `load on core ${cores.load}, subgraphs on core ${cores.subgraphs}`;
  return `Each contender is one process on core ${cores.contender} (taskset); ${beside}.`;
}

/** `0-2,4` → 0, 1, 2, 4. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
