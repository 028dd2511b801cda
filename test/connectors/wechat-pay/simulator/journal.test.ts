import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
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

  it('cuts off a last line without an end, so that the next one stands on its own', async () => {
    await appendFile(path, 'whole\nhal');
    const { journal, lines } = await Journal.open(path);
    expect(lines).toEqual(['whole']);
    journal.append('next');
    await journal.close();
    expect(await readFile(path, 'utf8')).toBe('whole\nnext\n');
  });
});
