import { mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SupergraphFile } from '../../gateway/supergraph.file.js';
import { Watched } from '../support/supergraph.watched.js';

const QUICK = { settledMs: 50, pollMs: 60_000 };

describe('A supergraph in a file', () => {
  let folder: string;
  let path: string;
  const stops: (() => void)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
    path = join(folder, 'supergraph.graphql');
    await writeFile(path, 'one');
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    await rm(folder, { recursive: true });
  });

  const watch = async (patience = QUICK) => {
    const file = new SupergraphFile(path, patience);
    expect(await file.read()).toBe('one');
    const watched = new Watched();
    stops.push(file.watch(watched));
    return watched;
  };

  it('is told of when it is written in place, once it is whole', async () => {
    const watched = await watch({ settledMs: 300, pollMs: 60_000 });
    for (const part of ['t', 'tw', 'two']) {
      await writeFile(path, part);
      await delay(50);
    }
    await watched.until(({ texts }) => texts.length > 0);
    await delay(700);
    expect(watched.texts).toEqual(['two']);
  });

  it('is told of when another file takes its place', async () => {
    const watched = await watch();
    await writeFile(join(folder, 'next'), 'two');
    await rename(join(folder, 'next'), path);
    await watched.until(({ texts }) => texts.includes('two'));
    await writeFile(join(folder, 'next'), 'three');
    await rename(join(folder, 'next'), path);
    await watched.until(({ texts }) => texts.includes('three'));
    expect(watched.texts).toEqual(['two', 'three']);
  });

  it('is told of when it is a link that leads elsewhere, as mounted configuration does', async () => {
    await writeFile(join(folder, 'first'), 'one');
    await writeFile(join(folder, 'second'), 'two');
    await unlink(path);
    await symlink('first', path);
    const watched = await watch();
    await symlink('second', join(folder, 'next'));
    await rename(join(folder, 'next'), path);
    await watched.until(({ texts }) => texts.length > 0);
    expect(watched.texts).toEqual(['two']);
  });

  it('is told of by polling where notifications do not come', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'supergraph-real-'));
    const real = join(elsewhere, 'real');
    await writeFile(real, 'one');
    await unlink(path);
    // The folder that is watched does not change at all.
    await symlink(real, path);
    const watched = await watch({ settledMs: 50, pollMs: 100 });
    await writeFile(real, 'two');
    await watched.until(({ texts }) => texts.length > 0);
    expect(watched.texts).toEqual(['two']);
    await rm(elsewhere, { recursive: true });
  });

  it('is not told of when it was only touched', async () => {
    const watched = await watch();
    await writeFile(path, 'one');
    await delay(400);
    expect(watched.texts).toEqual([]);
  });

  it('may be away for a while: that is said once, and it is found again', async () => {
    const watched = await watch({ settledMs: 50, pollMs: 50 });
    await unlink(path);
    await watched.until(({ failures }) => failures.length > 0);
    await delay(300);
    expect(watched.failures).toHaveLength(1);
    await writeFile(path, 'two');
    await watched.until(({ texts }) => texts.length > 0);
    expect(watched.texts).toEqual(['two']);
  });

  it('is not told of any more when nobody listens', async () => {
    const watched = await watch();
    for (const stop of stops.splice(0)) stop();
    await writeFile(path, 'two');
    await delay(300);
    expect(watched.texts).toEqual([]);
  });
});
