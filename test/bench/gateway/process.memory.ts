export interface MemoryInUse {
  /** Bytes. */
  readonly resident: number;
  /** What JavaScript and its buffers hold. Bytes. */
  readonly held: number;
}

/** What this process holds when all garbage is gone. Needs `--expose-gc`. */
export async function memoryInUse(): Promise<MemoryInUse> {
  const { gc } = globalThis;
  if (!gc) throw new Error('not started with --expose-gc');
  for (let round = 0; round < 3; round += 1) {
    // The one that also gives pages back to the system.
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, held: heapUsed + external };
}
