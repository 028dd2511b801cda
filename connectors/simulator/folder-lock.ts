import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SECOND, sleep } from '../../subgraphs/kernel/clock.js';

const HEARTBEAT_MS = 1 * SECOND;
/**
 * An owner that has not touched its lock for so long is gone, even if another program has its process id by now. Far
 * longer than a busy machine keeps a living one from it.
 */
const STALE_MS = 30 * SECOND;
const PATIENCE_MS = 10 * SECOND;
const POLL_MS = 25;

/** Thrown when another process keeps its books in the same folder and does not let go. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/** Who in this very process has a lock or waits for one: in a container, the process before us had our own number. */
const ours = new Set<string>();

/**
 * Lets one process at a time write in a folder: two would each believe books of their own. A simulator whose parent was
 * killed still finishes what is under way while the next one already starts: the next one waits here. What a killed
 * process left is taken over.
 * @returns gives the folder free
 * @throws FolderInUse when the owner stays
 */
export async function lockFolder(folder: string, patienceMs = PATIENCE_MS): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'lock');
  const owner = `${process.pid} ${randomUUID()}`;
  ours.add(owner);
  try {
    await takeInTime(file, owner, folder, patienceMs);
  } catch (thrown) {
    ours.delete(owner);
    throw thrown;
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    // The file may be gone while the folder is being deleted; the lock is then of no use to anyone.
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  return async () => {
    clearInterval(heartbeat);
    ours.delete(owner);
    await rm(file, { force: true });
  };
}

async function takeInTime(file: string, owner: string, folder: string, patienceMs: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await take(file, owner))) {
    if (await isAbandoned(file)) await rm(file, { force: true });
    else if (Date.now() > deadline) throw new FolderInUse(`${await keeperIn(file)} keeps its books in ${folder}.`);
    await sleep(POLL_MS);
  }
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
    const pid = Number(owner.split(' ')[0]);
    if (pid === process.pid) return !ours.has(owner);
    // Empty: somebody is just writing it.
    return Date.now() - mtimeMs > STALE_MS || (owner !== '' && !isAlive(pid));
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

async function keeperIn(file: string): Promise<string> {
  const owner = await readFile(file, 'utf8').catch(() => '');
  return owner ? `Process ${owner.split(' ')[0]}` : 'Another process';
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
