import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { compact } from '../../simulator/compaction.js';

const LINE = /^([0-9a-f]{8}) (.*)$/s;
const NEWLINE = 0x0a;

/** Thrown at start when a record in the middle of the journal is not what was written. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

interface Waiting {
  readonly line: string;
  readonly written: () => void;
  readonly failed: (thrown: unknown) => void;
}

/**
 * Records in the order they were made, one line each: checksum, then JSON. Whoever waits for `append` knows that the
 * record is on the disk; those who wait together share one fsync.
 */
export class Journal {
  private waiting: Waiting[] = [];
  private isWriting = false;
  private failure: unknown = null;

  private constructor(private readonly file: FileHandle) {}

  /**
   * Hands every record of before to `replay`, cuts off what a kill left unfinished at the end, and goes on from there;
   * a file that has grown far past the records that all of this comes to (`live`) holds only those afterwards.
   * @throws JournalDamaged
   */
  static async open(path: string, replay: (record: unknown) => void, live: () => Iterable<unknown>): Promise<Journal> {
    let file = await open(path, 'a+');
    try {
      await file.truncate(await readRecords(path, replay));
      if (await compact(path, () => linesFor(live()))) {
        await file.close();
        file = await open(path, 'a+');
      }
      return new Journal(file);
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /** Settles when the record is on the disk. After one failure all fail: the file's end is not known any more. */
  append(record: unknown): Promise<void> {
    return this.enqueue(lineFor(record));
  }

  /** Settles when everything appended so far is on the disk. */
  settled(): Promise<void> {
    // Queued like a record of no bytes: waiting until nothing is written would never end under load.
    return this.enqueue('');
  }

  async close(): Promise<void> {
    // A record that failed was reported to whoever appended it.
    await this.settled().catch(() => undefined);
    await this.file.close();
  }

  private enqueue(line: string): Promise<void> {
    return new Promise((written, failed) => {
      this.waiting.push({ line, written, failed });
      if (!this.isWriting) void this.write();
    });
  }

  private async write(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        if (this.failure !== null) throw this.failure;
        const lines = batch.map(({ line }) => line).join('');
        if (lines !== '') {
          await this.file.appendFile(lines);
          await this.file.datasync();
        }
        for (const { written } of batch) written();
      } catch (thrown) {
        this.failure ??= thrown;
        for (const { failed } of batch) failed(thrown);
      }
    }
    // In the same breath as the look at the queue: whoever comes later starts anew.
    this.isWriting = false;
  }
}

function lineFor(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checksumOf(json)} ${json}\n`;
}

function* linesFor(records: Iterable<unknown>): Generator<string> {
  for (const record of records) yield lineFor(record);
}

/** @returns how many bytes from the start hold whole records */
async function readRecords(path: string, replay: (record: unknown) => void): Promise<number> {
  let good = 0;
  let offset = 0;
  for await (const line of linesOf(path)) {
    offset += line.length + 1;
    const json = contentOf(line.toString('utf8'));
    if (json === null) continue;
    // A power cut may leave several unfinished lines, but only at the end: nobody was told of those.
    if (offset - line.length - 1 !== good) throw new JournalDamaged(`${path} is damaged at byte ${good}.`);
    replay(JSON.parse(json));
    good = offset;
  }
  return good;
}

/** Lines that end, without their ends; what follows the last one is left out. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}

function contentOf(line: string): string | null {
  const [, checksum, json = ''] = LINE.exec(line) ?? [];
  return checksum === checksumOf(json) ? json : null;
}

function checksumOf(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
