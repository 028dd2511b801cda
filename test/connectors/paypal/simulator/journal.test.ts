import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Journal, JournalDamaged } from '../../../../connectors/paypal/simulator/journal.js';
import { closeEverything, freshFolder, later } from '../counterpart.js';

afterEach(closeEverything);

async function open(
  path: string,
  live = (records: unknown[]): unknown[] => records,
): Promise<{ journal: Journal; records: unknown[] }> {
  const records: unknown[] = [];
  const journal = await Journal.open(
    path,
    (record) => records.push(record),
    () => live(records),
  );
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

/** Nearly two megabytes. */
const versions = Array.from({ length: 3_000 }, (_, n) => ({ n, text: '面'.repeat(200) }));

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

  it('holds only what it comes to, once it has grown far past that, and goes on from there', async () => {
    const path = await written(...versions);
    const grown = statSync(path).size;
    const latest = versions.slice(-2);
    const { journal, records } = await open(path, () => latest);
    expect(records).toEqual(versions);
    expect(statSync(path).size).toBeLessThan(grown / 1_000);
    await journal.append({ n: 3_000 });
    await journal.close();
    expect((await open(path)).records).toEqual([...latest, { n: 3_000 }]);
    expect(readdirSync(dirname(path))).toEqual(['journal.jsonl']);
  });

  it('is not written anew while it is small, or not far past what it comes to', async () => {
    const small = await written({ n: 1 }, { n: 2 });
    await open(small, () => [{ n: 2 }]);
    expect((await open(small)).records).toEqual([{ n: 1 }, { n: 2 }]);
    const large = await written(...versions);
    await open(large, (records) => records.slice(1_500));
    expect((await open(large)).records).toEqual(versions);
  });

  it('starts anew over what a kill left of an earlier attempt', async () => {
    const path = await written(...versions);
    writeFileSync(`${path}.new`, '00000000 {"n":');
    await open(path, (records) => records.slice(-1));
    expect((await open(path)).records).toEqual(versions.slice(-1));
    expect(readdirSync(dirname(path))).toEqual(['journal.jsonl']);
  });

  it('stays as it is where it cannot be written anew', async () => {
    const path = await written(...versions);
    mkdirSync(`${path}.new`);
    const { journal } = await open(path, (records) => records.slice(-1));
    await journal.append({ n: 3_000 });
    expect((await open(path)).records).toEqual([...versions, { n: 3_000 }]);
  });

  it('refuses everything after the disk refused once', async () => {
    const { journal } = await open(join(freshFolder(), 'journal.jsonl'));
    await journal.close();
    await expect(journal.append({ n: 1 })).rejects.toThrow();
    await expect(journal.append({ n: 2 })).rejects.toThrow();
    await expect(journal.settled()).rejects.toThrow();
  });
});
