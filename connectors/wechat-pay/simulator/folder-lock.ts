import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SECOND, sleep } from '../../../subgraphs/kernel/clock.js';

const HEARTBEAT_MS = 1 * SECOND;
/** An owner that has not touched its lock for so long is gone, even if another program has its process id by now. */
const STALE_MS = 5 * SECOND;
const PATIENCE_MS = 10 * SECOND;
const POLL_MS = 25;

/**
 * Lets one process at a time write in a folder. A simulator whose parent was killed still finishes what is under way while
 * the next one already starts: the next one waits here. Returns what gives the folder free.
 * @throws Error when the owner stays
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'lock');
  const deadline = Date.now() + PATIENCE_MS;
  const owner = `${process.pid} ${randomUUID()}`;
  while (!(await take(file, owner))) {
    if (Date.now() > deadline) throw new Error('another simulator keeps these books');
    if (await isAbandoned(file)) await rm(file, { force: true });
    await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // The file may be gone while the folder is being deleted; the lock is then of no use to anyone.
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  return async () => {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  };
}

/** Two that wait may both find the lock abandoned, and the slower one removes the new lock: whoever still stands there has it. */
async function take(file: string, owner: string): Promise<boolean> {
  try {
    await writeFile(file, owner, { flag: 'wx' });
    await sleep(POLL_MS);
    return (await readFile(file, 'utf8')) === owner;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST') || isCode(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    return Date.now() - mtimeMs > STALE_MS || (owner !== '' && !isAlive(Number(owner.split(' ')[0])));
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return isCode(thrown, 'EPERM');
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === code;
}
