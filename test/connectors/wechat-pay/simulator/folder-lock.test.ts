import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockFolder } from '../../../../connectors/wechat-pay/simulator/folder-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('lockFolder', () => {
  it('makes the folder and leaves nothing behind', async () => {
    const unlock = await lockFolder(join(folder, 'new'));
    await unlock();
    await expect(readdir(join(folder, 'new'))).resolves.toEqual([]);
  });

  it('takes over from a process that is dead', async () => {
    // Process ids end far below this one.
    await writeFile(join(folder, 'lock'), '999999999 x');
    await (await lockFolder(folder))();
  });

  it('takes over from a lock that nobody touched for long, even if the process id lives', async () => {
    await writeFile(join(folder, 'lock'), `${process.pid} x`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(join(folder, 'lock'), longAgo, longAgo);
    await (await lockFolder(folder))();
  });

  it('lets one in at a time, however many wait for a dead owner', async () => {
    await writeFile(join(folder, 'lock'), '999999999 x');
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
    expect(Math.max(...most)).toBe(1);
  });
});
