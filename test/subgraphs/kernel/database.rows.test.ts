import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEntity, p } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { migrate, openDatabase, transaction } from '../../../subgraphs/kernel/database.js';
import { isDatabaseError } from '../../../subgraphs/kernel/database.retry.js';
import {
  changesOf,
  columnsOf,
  entityIn,
  executeTogether,
  insertion,
  snapshotOf,
} from '../../../subgraphs/kernel/database.rows.js';
import { freshDatabase } from '../../support/database.js';

const ParcelSchema = defineEntity({
  name: 'Parcel',
  properties: {
    id: p.string().primary(),
    weightGrams: p.bigint(),
    labels: p.array(),
    note: p.string().nullable(),
    sentAt: p.datetime(),
    seenAt: p.datetime().nullable(),
  },
});
class Parcel extends ParcelSchema.class {}
ParcelSchema.setClass(Parcel);

const LetterSchema = defineEntity({ name: 'Letter', properties: { id: p.string().primary(), note: p.string() } });
class Letter extends LetterSchema.class {}
LetterSchema.setClass(Letter);

class First extends Migration {
  override up(): void {
    this.addSql(`create table parcel (id text primary key, weight_grams bigint not null check (weight_grams > 0),
      labels text[] not null, note text, sent_at timestamptz not null, seen_at timestamptz, shelf int)`);
    this.addSql('create table letter (id text primary key, note text not null)');
  }
}

let orm: MikroORM;
const open = (url: string) => openDatabase({ name: 'rows', url, entities: [Parcel, Letter], migrations: [First] });
beforeAll(async () => {
  const url = await freshDatabase('rows', async (template) => {
    const prepared = await open(template);
    await migrate(prepared, template);
    await prepared.close();
  });
  orm = await open(url);
});
afterAll(() => orm.close());

const parcel = (id: string): Parcel =>
  Object.assign(new Parcel(), {
    id,
    // Beyond what a double holds.
    weightGrams: 9_007_199_254_740_993n,
    labels: ['fragile', 'it\'s "odd", {really}\\?'],
    note: "O'Neill ? \\ $1",
    sentAt: new Date('2026-11-26T03:25:07.423Z'),
    seenAt: null,
  });
const letter = (id: string): Letter => Object.assign(new Letter(), { id, note: 'hello' });

async function read(em: EntityManager, id: string): Promise<{ parcel: Parcel; letter: Letter } | null> {
  const [row] = await em.execute<Record<string, unknown>[]>(
    `select ${columnsOf(em, Parcel, 'p')}, ${columnsOf(em, Letter, 'l')} from parcel p join letter l using (id) where id = ?`,
    [id],
  );
  return row ? { parcel: entityIn(em, Parcel, 'p', row), letter: entityIn(em, Letter, 'l', row) } : null;
}

describe('Rows', () => {
  it('become the same entities again, also two tables in one row with columns of one name', async () => {
    await transaction(orm.em, (em) => executeTogether(em, [insertion(em, parcel('1')), insertion(em, letter('1'))]));
    const found = await read(orm.em.fork(), '1');
    expect(found?.parcel).toBeInstanceOf(Parcel);
    expect({ ...found?.parcel }).toEqual({ ...parcel('1') });
    expect({ ...found?.letter }).toEqual({ ...letter('1') });
  });

  it('are as the ORM itself reads and writes them', async () => {
    await transaction(orm.em, async (em) => {
      em.persist([parcel('2'), letter('2')]);
    });
    const found = await read(orm.em.fork(), '2');
    const known = await orm.em.fork().findOneOrFail(Parcel, '2');
    expect({ ...found?.parcel }).toEqual({ ...known });
  });

  it('are changed where something changed, and nowhere else', async () => {
    await transaction(orm.em, async (em) => {
      await executeTogether(em, [insertion(em, parcel('3')), insertion(em, letter('3'))]);
      const found = await read(em, '3');
      if (!found) throw new Error('it is not there');
      const before = snapshotOf(em, found.parcel);
      expect(changesOf(em, found.parcel, before, 'shelf = 7')).toBeNull();
      found.parcel.seenAt = new Date('2026-11-27T00:00:00.001Z');
      found.parcel.weightGrams += 1n;
      const change = changesOf(em, found.parcel, before, 'shelf = 7');
      expect(change?.text).toBe('update parcel set weight_grams = ?, seen_at = ?, shelf = 7 where parcel.id = ?');
      await executeTogether(em, [change, null]);
    });
    const found = await read(orm.em.fork(), '3');
    expect(found?.parcel).toMatchObject({ weightGrams: 9_007_199_254_740_994n, note: "O'Neill ? \\ $1" });
    expect(found?.parcel.seenAt).toEqual(new Date('2026-11-27T00:00:00.001Z'));
    expect(await orm.em.fork().execute("select shelf from parcel where id = '3'")).toEqual([{ shelf: 7 }]);
  });

  it('are not watched: what nobody writes is not changed at the end of a transaction', async () => {
    await transaction(orm.em, async (em) => {
      await executeTogether(em, [insertion(em, parcel('4')), insertion(em, letter('4'))]);
      const found = await read(em, '4');
      if (found) found.parcel.note = 'changed by nobody';
    });
    expect((await read(orm.em.fork(), '4'))?.parcel.note).toBe("O'Neill ? \\ $1");
  });

  it('are written together or not at all', async () => {
    const light = Object.assign(parcel('5'), { weightGrams: 0n });
    const em = orm.em.fork();
    const failing = executeTogether(em, [insertion(em, letter('5')), insertion(em, light)]);
    await expect(failing.catch((thrown: unknown) => isDatabaseError(thrown, '23514'))).resolves.toBe(true);
    expect(await em.execute("select id from letter where id = '5'")).toEqual([]);
  });
});
