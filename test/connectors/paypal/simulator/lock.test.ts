import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FolderInUse, lockFolder } from '../../../../connectors/paypal/simulator/lock.js';
import { closeEverything, freshFolder } from '../counterpart.js';

afterEach(closeEverything);

/** Above what any system gives. */
const NOBODY = 2 ** 30;

describe('A folder of books', () => {
  it('has one keeper at a time', async () => {
    const folder = freshFolder();
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder, 100)).rejects.toThrow(FolderInUse);
    await unlock();
    await (await lockFolder(folder, 100))();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  it('is waited for while its keeper is about to stop', async () => {
    const folder = freshFolder();
    const unlock = await lockFolder(folder);
    setTimeout(() => void unlock(), 60);
    await (await lockFolder(folder, 2_000))();
  });

  it('goes to one of many who come at once, and to each in turn', async () => {
    const folder = freshFolder();
    let keepers = 0;
    const take = async () => {
      const unlock = await lockFolder(folder, 5_000);
      keepers += 1;
      expect(keepers).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      keepers -= 1;
      await unlock();
    };
    await Promise.all([take(), take(), take()]);
  });

  it.each([
    ['a process that was killed', `${NOBODY} somebody`],
    ['a process of the same number, before us in a container', `${process.pid} somebody-before`],
  ])('is taken over from %s', async (_, holder) => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'lock'), holder);
    await (await lockFolder(folder, 1_000))();
  });

  it('is not taken from another process that lives', async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, 'lock'), `${process.ppid} another`);
    await expect(lockFolder(folder, 60)).rejects.toThrow(`Process ${process.ppid}`);
  });
});
