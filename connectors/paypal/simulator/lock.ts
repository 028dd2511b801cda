import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../../subgraphs/kernel/clock.js';

/** Thrown when another process keeps its books in the same folder and does not let go. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

const heldHere = new Set<string>();

/**
 * Makes this process the only one that writes in `folder`; waits for one that is about to stop. Two would each believe
 * books of their own. What a killed process left is taken over.
 * @returns lets go
 * @throws FolderInUse
 */
export async function lockFolder(folder: string, patienceMs = 10_000): Promise<() => Promise<void>> {
  const file = join(folder, 'lock');
  const mine = `${process.pid} ${randomUUID()}`;
  for (const giveUpAt = Date.now() + patienceMs; ; await sleep(20)) {
    const holder = await holderIn(file);
    if (holder === null && (await taken(file, mine))) break;
    if (holder !== null && !isHeld(holder)) await rm(file, { force: true });
    else if (Date.now() > giveUpAt)
      throw new FolderInUse(`Process ${holder?.split(' ')[0]} keeps its books in ${folder}.`);
  }
  heldHere.add(mine);
  return async () => {
    heldHere.delete(mine);
    await rm(file, { force: true });
  };
}

async function taken(file: string, mine: string): Promise<boolean> {
  try {
    await writeFile(file, mine, { flag: 'wx' });
  } catch {
    return false;
  }
  // Somebody who saw the same dead holder may remove our file in its stead: look again before believing it.
  await sleep(20);
  return (await holderIn(file)) === mine;
}

async function holderIn(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}

function isHeld(holder: string): boolean {
  const pid = Number(holder.split(' ')[0]);
  // In a container the process before us may have had our own number.
  if (pid === process.pid) return heldHere.has(holder);
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
