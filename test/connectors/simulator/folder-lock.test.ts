import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FolderInUse, lockFolder } from '../../../connectors/simulator/folder-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Above what any system gives. */
const NOBODY = 2 ** 30;

describe('A folder of books', () => {
  it('is made where it is missing, and nothing is left behind', async () => {
    const unlock = await lockFolder(join(folder, 'new'));
    await unlock();
    await expect(readdir(join(folder, 'new'))).resolves.toEqual([]);
  });

  it('has one keeper at a time', async () => {
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder, 100)).rejects.toThrow(FolderInUse);
    await unlock();
    await (await lockFolder(folder, 100))();
  });

  it('is waited for while its keeper is about to stop', async () => {
    const unlock = await lockFolder(folder);
    setTimeout(() => void unlock(), 60);
    await (await lockFolder(folder, 2_000))();
  });

  it.each([
    ['a process that was killed', `${NOBODY} somebody`],
    ['a process of the same number, before us in a container', `${process.pid} somebody-before`],
  ])('is taken over from %s', async (_, keeper) => {
    await writeFile(join(folder, 'lock'), keeper);
    await (await lockFolder(folder, 1_000))();
  });

  it('is taken over from a lock that nobody touched for long, even if the process id lives', async () => {
    await writeFile(join(folder, 'lock'), `${process.ppid} another`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(folder, 'lock'), longAgo, longAgo);
    await (await lockFolder(folder, 1_000))();
  });

  it('is not taken from another process that lives, nor from one that was merely busy', async () => {
    await writeFile(join(folder, 'lock'), `${process.ppid} another`);
    const justNow = new Date(Date.now() - 10_000);
    await utimes(join(folder, 'lock'), justNow, justNow);
    await expect(lockFolder(folder, 60)).rejects.toThrow(`Process ${process.ppid}`);
  });

  it('goes to one at a time of many who wait for a dead keeper, and to each in turn', async () => {
    await writeFile(join(folder, 'lock'), `${NOBODY} x`);
    let inside = 0;
    const most = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const unlock = await lockFolder(folder);
        inside += 1;
        const seen = inside;
        await new Promise((resolve) => setTimeout(resolve, 60));
        inside -= 1;
        await unlock();
        return seen;
      }),
    );
    expect(most).toEqual([1, 1, 1, 1]);
  });
});
