import { readFileSync, writeFileSync } from 'node:fs';

// Linux counts processor time for /proc in hundredths of a second, whatever the kernel's own tick.
const TICK_MS = 10;

/** Processor time of a process so far, user and system, all threads. Milliseconds. */
export function processorMs(pid: number): number {
  // Behind the program's name, which may hold blanks and parentheses.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [user, system] = [fields[11], fields[12]].map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) * TICK_MS;
}

/** How long a core was not idle so far, or was taken from this machine by its host. Milliseconds. */
export function coreMs(core: number): number {
  return busyMs(`cpu${core}`);
}

/** The same of all cores together. */
export function totalProcessorMs(): number {
  return busyMs('cpu');
}

function busyMs(name: string): number {
  const line = new RegExp(`^${name} +(.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, _idle, _waiting, irq = 0, softIrq = 0, stolen = 0] = line
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softIrq + stolen) * TICK_MS;
}

/** The most memory that a process ever had in use, or since `forgetPeak`. Bytes. */
export function peakBytes(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1_024;
}

/** Begins a new peak. Where the kernel does not allow it the peak stays that of the whole life. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Only the figure is coarser.
  }
}

/** How many files and sockets a process of ours may open. */
export function mostOpenFiles(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
