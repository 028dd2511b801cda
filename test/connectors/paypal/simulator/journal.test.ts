import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Journal, JournalDamaged } from '../../../../connectors/paypal/simulator/journal.js';
import { closeEverything, freshFolder, later } from '../counterpart.js';

afterEach(closeEverything);

async function open(path: string): Promise<{ journal: Journal; records: unknown[] }> {
  const records: unknown[] = [];
  const journal = await Journal.open(path, (record) => records.push(record));
  later(() => journal.close().catch(() => undefined));
  return { journal, records };
}

async function written(...records: unknown[]): Promise<string> {
  const path = join(freshFolder(), 'journal.jsonl');
  const { journal } = await open(path);
  await Promise.all(records.map((record) => journal.append(record)));
  await journal.close();
  return path;
}

describe('The journal', () => {
  it('gives back every record in its order, whatever is in it', async () => {
    const all = Array.from({ length: 500 }, (_, n) => ({ n, text: `line\n${'面'.repeat(n)}` }));
    const { records } = await open(await written(...all));
    expect(records).toEqual(all);
  });

  it('has a record on the disk when it says so', async () => {
    const path = join(freshFolder(), 'journal.jsonl');
    const { journal } = await open(path);
    await journal.append({ n: 1 });
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{8} {"n":1}\n$/);
    void journal.append({ n: 2 });
    await journal.settled();
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(3);
  });

  it('never leaves a record waiting that was appended as another became durable', async () => {
    const { journal } = await open(join(freshFolder(), 'journal.jsonl'));
    for (let n = 0; n < 50; n += 1) await journal.append(n).then(() => journal.append(n + 0.5));
    await journal.settled();
  });

  it.each([1, 5, 12])(
    'forgets a record whose last %i bytes a kill left out, and goes on after the one before',
    async (cut) => {
      const path = await written({ n: 1 }, { n: 2 });
      truncateSync(path, readFileSync(path).length - cut);
      const torn = await open(path);
      expect(torn.records).toEqual([{ n: 1 }]);
      await torn.journal.append({ n: 3 });
      await torn.journal.close();
      expect((await open(path)).records).toEqual([{ n: 1 }, { n: 3 }]);
    },
  );

  it('forgets several unfinished lines at the end, as a power cut may leave them', async () => {
    const path = await written({ n: 1 });
    appendFileSync(path, '00000000 {"n":2}\n\0\0\0\0\n');
    expect((await open(path)).records).toEqual([{ n: 1 }]);
  });

  it('does not start on records that were changed in the middle', async () => {
    const path = await written({ n: 1 }, { n: 2 }, { n: 3 });
    writeFileSync(path, readFileSync(path, 'utf8').replace('{"n":2}', '{"n":9}'));
    await expect(open(path)).rejects.toThrow(JournalDamaged);
  });

  it('refuses everything after the disk refused once', async () => {
    const { journal } = await open(join(freshFolder(), 'journal.jsonl'));
    await journal.close();
    await expect(journal.append({ n: 1 })).rejects.toThrow();
    await expect(journal.append({ n: 2 })).rejects.toThrow();
    await expect(journal.settled()).rejects.toThrow();
  });
});
