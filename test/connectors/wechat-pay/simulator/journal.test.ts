import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Journal } from '../../../../connectors/wechat-pay/simulator/journal.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
  path = join(folder, 'lines');
});
afterEach(() => rm(folder, { recursive: true }));

describe('Journal', () => {
  it('gives back every line in order, whatever came together', async () => {
    const { journal } = await Journal.open(path);
    const lines = Array.from({ length: 200 }, (_, index) => `{"index":${index},"name":"茶"}`);
    for (const [index, line] of lines.entries()) {
      journal.append(line);
      if (index % 50 === 0) await journal.flushed();
    }
    await journal.close();
    const again = await Journal.open(path);
    expect(again.lines).toEqual(lines);
    await again.journal.close();
  });

  it('has a line in the file as soon as flushed says so', async () => {
    const { journal } = await Journal.open(path);
    journal.append('first');
    await journal.flushed();
    journal.append('second');
    const second = journal.flushed();
    journal.append('third');
    await second;
    expect(await readFile(path, 'utf8')).toContain('first\nsecond\n');
    await journal.flushed();
    expect(await readFile(path, 'utf8')).toBe('first\nsecond\nthird\n');
    await journal.close();
  });

  describe('that has grown far past what it comes to', () => {
    /** Nearly two megabytes. */
    const versions = Array.from({ length: 3_000 }, (_, n) => `{"n":${n},"name":"${'茶'.repeat(200)}"}`);
    beforeEach(() => writeFile(path, versions.map((line) => `${line}\n`).join('')));

    async function reopened(live: (lines: string[]) => string[]): Promise<string[]> {
      const { journal, lines } = await Journal.open(path);
      expect(lines).toEqual(versions);
      await journal.compact(() => live(lines));
      journal.append('next');
      await journal.close();
      const again = await Journal.open(path);
      await again.journal.close();
      return again.lines;
    }

    it('holds only that afterwards, and goes on from there', async () => {
      const { size } = await stat(path);
      expect(await reopened((lines) => lines.slice(-2))).toEqual([...versions.slice(-2), 'next']);
      expect((await stat(path)).size).toBeLessThan(size / 1_000);
      expect(await readdir(folder)).toEqual(['lines']);
    });

    it('is left alone where that would save little', async () => {
      expect(await reopened((lines) => lines.slice(1_500))).toEqual([...versions, 'next']);
    });

    it('starts anew over what a kill left of an earlier attempt', async () => {
      await writeFile(`${path}.new`, '{"n":');
      expect(await reopened((lines) => lines.slice(-1))).toEqual([...versions.slice(-1), 'next']);
      expect(await readdir(folder)).toEqual(['lines']);
    });

    it('stays as it is where it cannot be written anew', async () => {
      await mkdir(`${path}.new`);
      expect(await reopened((lines) => lines.slice(-1))).toEqual([...versions, 'next']);
    });
  });

  it('is left alone while it is small', async () => {
    await writeFile(path, 'first\nsecond\n');
    const { journal } = await Journal.open(path);
    await journal.compact(() => ['second']);
    await journal.close();
    expect(await readFile(path, 'utf8')).toBe('first\nsecond\n');
  });

  it('cuts off a last line without an end, so that the next one stands on its own', async () => {
    await appendFile(path, 'whole\nhal');
    const { journal, lines } = await Journal.open(path);
    expect(lines).toEqual(['whole']);
    journal.append('next');
    await journal.close();
    expect(await readFile(path, 'utf8')).toBe('whole\nnext\n');
  });
});
