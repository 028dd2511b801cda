import { cpus, totalmem } from 'node:os';

/** The value below which this part of all values lies: 0.5 is the median. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Figures mean nothing without where and when they were taken. */
export function printMachine(): void {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  console.log(`${new Date().toISOString()}  ${cpus().length} × ${first?.model.trim() ?? 'unknown'}, ${memory}`);
  console.log(
    `Node.js ${process.version}, ${process.platform} ${process.arch}. Load, graph and outside world share this machine.`,
  );
}

export function printTitle(text: string): void {
  console.log(`\n${text}`);
}

/** One line of a table: a name and its cells. */
export function printRow(name: string, ...cells: readonly string[]): void {
  console.log(`  ${name.padEnd(52)}${cells.map((cell) => cell.padStart(14)).join('')}`);
}

export function perSecond(count: number, milliseconds: number): string {
  return `${((count * 1_000) / milliseconds).toFixed(1)}/s`;
}

export function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`;
}

export function ratio(value: number, baseline: number): string {
  return `× ${(value / baseline).toFixed(2)}`;
}

/** Runs `work` in `parallel` lanes for about so long. @returns how many were finished, and in what time */
export async function throughput(
  parallel: number,
  durationMs: number,
  work: (lane: number) => Promise<void>,
): Promise<{ count: number; elapsedMs: number }> {
  const began = performance.now();
  let count = 0;
  const lanes = Array.from({ length: parallel }, async (_, lane) => {
    while (performance.now() - began < durationMs) {
      await work(lane);
      count += 1;
    }
  });
  await Promise.all(lanes);
  return { count, elapsedMs: performance.now() - began };
}
