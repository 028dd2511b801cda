import { type FileHandle, open } from 'node:fs/promises';
import { compact } from '../../simulator/compaction.js';

interface Batch {
  readonly lines: string[];
  readonly done: PromiseWithResolvers<void>;
}

/**
 * An append-only file of lines. Lines that arrive while the disk is busy are written together and share one fsync, so that
 * durability costs a simulator under load almost nothing.
 */
export class Journal {
  private waiting: Batch | null = null;
  /** What is being written; null while the disk is idle. */
  private current: Batch | null = null;
  private failure: Error | null = null;

  private constructor(
    private readonly path: string,
    private file: FileHandle,
  ) {}

  /** Opens or creates the file and gives back what it holds. A last line that a crash cut off was never answered for: it goes. */
  static async open(path: string): Promise<{ journal: Journal; lines: string[] }> {
    const file = await open(path, 'a+');
    const text = await file.readFile();
    const whole = text.lastIndexOf(0x0a) + 1;
    if (whole < text.length) await file.truncate(whole);
    const lines = text.subarray(0, whole).toString('utf8').split('\n').slice(0, -1);
    return { journal: new Journal(path, file), lines };
  }

  /**
   * A file that has grown far past the lines that all of it comes to holds only those afterwards. To be asked before
   * anything is appended.
   */
  async compact(live: () => Iterable<string>): Promise<void> {
    if (!(await compact(this.path, () => withEnds(live())))) return;
    const old = this.file;
    this.file = await open(this.path, 'a+');
    await old.close();
  }

  append(line: string): void {
    this.waiting ??= { lines: [], done: Promise.withResolvers<void>() };
    this.waiting.lines.push(line);
    // Whoever waits hears of a failure through `flushed`; without anyone waiting it must not end the process here.
    this.waiting.done.promise.catch(() => undefined);
    if (this.current === null) void this.write();
  }

  /** Everything appended so far is on the disk. Rejects when it cannot be written: then nothing more may be answered. */
  flushed(): Promise<void> {
    if (this.failure !== null) return Promise.reject(this.failure);
    return this.waiting?.done.promise ?? this.current?.done.promise ?? Promise.resolve();
  }

  async close(): Promise<void> {
    try {
      await this.flushed();
    } finally {
      await this.file.close();
    }
  }

  private async write(): Promise<void> {
    for (let batch = this.next(); batch !== null; batch = this.next()) {
      this.current = batch;
      try {
        // After one line is lost, memory and disk disagree: nothing that follows may be answered either.
        if (this.failure !== null) throw this.failure;
        await this.file.appendFile(`${batch.lines.join('\n')}\n`);
        await this.file.datasync();
        batch.done.resolve();
      } catch (thrown) {
        this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
        batch.done.reject(this.failure);
      }
    }
    this.current = null;
  }

  private next(): Batch | null {
    const batch = this.waiting;
    this.waiting = null;
    return batch;
  }
}

function* withEnds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}
