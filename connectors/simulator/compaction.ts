import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Below this a file is read in no time. */
const SMALL_BYTES = 1024 * 1024;
/** How many times larger than what it comes to a file may be: smaller ones are not worth the writing. */
const GROWN = 4;
const CHUNK_CHARACTERS = 1024 * 1024;

/**
 * Writes a journal anew as nothing but what it comes to, where it has grown far past that. A kill at any moment leaves the
 * old file or the new one, each whole: the new one takes the old one's name once it is on the disk.
 *
 * @param lines what the file comes to, each with its end; asked for twice
 * @returns whether there is a new file now: who has the old one open must open it again
 */
export async function compact(path: string, lines: () => Iterable<string>): Promise<boolean> {
  const { size } = await stat(path);
  if (size <= SMALL_BYTES || size <= GROWN * bytesOf(lines())) return false;
  const fresh = `${path}.new`;
  try {
    // What a kill left of an earlier attempt.
    await rm(fresh, { force: true });
    await write(fresh, lines());
    await rename(fresh, path);
  } catch {
    // No room, or not ours to write: the old file is as good, only longer.
    await rm(fresh, { force: true }).catch(() => undefined);
    return false;
  }
  await syncFolder(dirname(path));
  return true;
}

function bytesOf(lines: Iterable<string>): number {
  let bytes = 0;
  for (const line of lines) bytes += Buffer.byteLength(line);
  return bytes;
}

async function write(path: string, lines: Iterable<string>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    let chunk = '';
    for (const line of lines) {
      chunk += line;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      await file.appendFile(chunk);
      chunk = '';
    }
    await file.appendFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  // There folders cannot be opened, and need not be.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
