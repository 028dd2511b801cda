import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PgBoss } from 'pg-boss';
import type { Logger } from '../../../../subgraphs/kernel/telemetry.js';
import { LedgerAuditService } from '../../../../subgraphs/payments/ledger/audit.service.js';
import { sealNext, verifySeals } from '../../../../subgraphs/payments/ledger/seal.repository.js';
import { SealWorker } from '../../../../subgraphs/payments/ledger/seal.worker.js';
import { Books } from '../../../support/books.js';
import { silent } from '../../../support/logger.js';

let books: Books;
beforeEach(async () => {
  books = await Books.open();
});
afterEach(() => books.close());

const now = () => new Date();
const noBoss = null as unknown as PgBoss;
const seal = () => new SealWorker(books.orm.em, noBoss, silent, now).seal();
const verify = () => new LedgerAuditService(books.orm.em, now).verifySeals();

/** A posting that is written and not yet committed. */
async function writing() {
  const em = books.em;
  await em.begin();
  await books.post(em, 100n);
  return em;
}

/** The same on accounts of its own: who writes to the same ones waits for the first. */
async function writingElsewhere() {
  const em = books.em;
  await em.begin();
  await em.execute(`with opened as (insert into account (code, currency) values ('test:a', 'CNY'), ('test:b', 'CNY') returning id)
    insert into posting (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
      select payment.id, 'other', min(opened.id), max(opened.id), 1, 'CNY', now() from payment, opened group by payment.id`);
  return em;
}

async function sealedRuns(): Promise<[from: number, to: number, count: number][]> {
  const rows = await books.em.execute<{ from_id: string; to_id: string; posting_count: number }[]>(
    'select from_id, to_id, posting_count from posting_seal order by sequence',
  );
  return rows.map((row) => [Number(row.from_id), Number(row.to_id), row.posting_count]);
}

describe('The chain of seals', () => {
  it('covers every posting once, in runs that follow each other', async () => {
    await seal();
    expect(await sealedRuns()).toEqual([]);
    await books.postEach(3);
    await seal();
    await books.postEach(2);
    expect(await verify()).toMatchObject({ seals: 1, sealedPostings: 3, unsealedPostings: 2, firstBroken: null });
    await seal();
    await seal();
    expect(await sealedRuns()).toEqual([
      [1, 3, 3],
      [4, 5, 2],
    ]);
    expect(await verify()).toMatchObject({ seals: 2, sealedPostings: 5, unsealedPostings: 0, firstBroken: null });
  });

  it('seals at most a thousand postings at once, and all of them in the end', async () => {
    await books.postEach(1);
    await books.forge(`insert into posting (payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
      select payment_id, 'many-' || n, debit_account_id, credit_account_id, 1, currency, posted_at from posting, generate_series(1, 2500) n`);
    await seal();
    expect((await sealedRuns()).map(([, , count]) => count)).toEqual([1_000, 1_000, 501]);
    expect(await verify()).toMatchObject({ seals: 3, sealedPostings: 2_501, firstBroken: null });
  });

  it('waits for a posting with a lower id that is committed later, and misses none', async () => {
    const slow = await writing();
    await (await writingElsewhere()).commit();
    const sealing = seal();
    await delay(300);
    expect(await sealedRuns()).toEqual([]);
    await slow.commit();
    await sealing;
    expect(await sealedRuns()).toEqual([[1, 2, 2]]);
  });

  it('passes over ids whose transaction was rolled back', async () => {
    await books.postEach(1);
    const failed = await writing();
    await failed.rollback();
    await books.postEach(1);
    await seal();
    expect(await sealedRuns()).toEqual([[1, 3, 2]]);
    expect((await verify()).firstBroken).toBeNull();
  });

  it('does not wait for who begins to write later, and nobody ever waits for it', async () => {
    const slow = await writing();
    const sealing = seal();
    await delay(300);
    const later = await writingElsewhere();
    await slow.commit();
    await sealing;
    expect(await sealedRuns()).toEqual([[1, 1, 1]]);
    await later.commit();
    await seal();
    expect(await sealedRuns()).toEqual([
      [1, 1, 1],
      [2, 2, 1],
    ]);
    expect((await verify()).firstBroken).toBeNull();
  });

  it('grows by one seal when several processes are at it at once', async () => {
    await books.postEach(4);
    await Promise.all([seal(), seal(), seal()]);
    await seal();
    expect(await sealedRuns()).toEqual([[1, 4, 4]]);
  });

  it('is left to whoever is at it', async () => {
    await books.postEach(2);
    const [mine, theirs] = [books.em, books.em];
    await mine.begin();
    expect(await sealNext(mine, 2n, now())).toMatchObject({ toId: 2n });
    await theirs.begin();
    expect(await sealNext(theirs, 1n, now())).toBeNull();
    await theirs.commit();
    await mine.rollback();
    await seal();
    expect(await sealedRuns()).toEqual([[1, 2, 2]]);
  });

  it('is left for later where one writes for too long, or where payments are about to stop', async () => {
    const slow = await writing();
    await new SealWorker(books.orm.em, noBoss, silent, now, 100).seal();
    const stopping = new AbortController();
    const sealing = new SealWorker(books.orm.em, noBoss, silent, now, Number.POSITIVE_INFINITY).seal(stopping.signal);
    stopping.abort();
    await sealing;
    await slow.commit();
    await new SealWorker(books.orm.em, noBoss, silent, now).seal(AbortSignal.abort());
    expect(await sealedRuns()).toEqual([]);
    await seal();
    expect(await sealedRuns()).toEqual([[1, 1, 1]]);
  });

  it('is said outside the database too, seal by seal', async () => {
    const said: unknown[] = [];
    const logger = { info: (...line: unknown[]) => said.push(line) } as unknown as Logger;
    await books.postEach(2);
    await new SealWorker(books.orm.em, noBoss, logger, now).seal();
    const [row] = await books.em.execute<{ hash: string }[]>(`select encode(hash, 'hex') as hash from posting_seal`);
    expect(said).toEqual([[{ sequence: '1', toId: '2', postings: 2, hash: row?.hash }, 'sealed postings']]);
    expect(row?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('grows every minute, as a job of the queue', async () => {
    const boss = new PgBoss({ connectionString: books.url, max: 2, supervise: false, schedule: false });
    boss.on('error', () => undefined);
    await boss.start();
    try {
      await books.postEach(2);
      await boss.createQueue('seal-postings');
      await boss.send('seal-postings');
      await new SealWorker(books.orm.em, boss, silent, now).start();
      while ((await sealedRuns()).length === 0) await delay(5);
      expect(await sealedRuns()).toEqual([[1, 2, 2]]);
      expect(await boss.getSchedules()).toMatchObject([{ name: 'seal-postings', cron: '* * * * *' }]);
    } finally {
      await boss.stop({ graceful: false });
    }
  });

  it('says how far it has come, and since when a posting waits for it', async () => {
    const none = { seals: 0, lastSealedAt: null, unsealedSince: null, unsealedPostings: 0 };
    expect(await verify()).toMatchObject(none);
    const [posted, sealed] = [new Date('2026-03-01T10:00:00Z'), new Date('2026-03-01T10:01:00Z')];
    await books.postEach(2, posted);
    expect(await verify()).toMatchObject({ ...none, unsealedSince: posted, unsealedPostings: 2 });
    await new SealWorker(books.orm.em, noBoss, silent, () => sealed).seal();
    expect(await verify()).toMatchObject({ ...none, seals: 1, lastSealedAt: sealed });
  });

  it('can be neither changed nor removed by the role that owns it', async () => {
    await books.postEach(1);
    await seal();
    for (const sql of ['update posting_seal set to_id = 9', 'delete from posting_seal', 'truncate posting_seal'])
      await expect(books.em.execute(sql)).rejects.toThrow(/permission denied|not allowed/);
  });
});

describe('A verification of the chain', () => {
  beforeEach(async () => {
    for (const count of [2, 3, 2]) {
      await books.postEach(count);
      await seal();
    }
  });

  const SECOND = { sequence: 2n, fromId: 3n, toId: 5n, sealedPostings: 3 };

  it.each([
    ['an amount', 'update posting set amount_minor = amount_minor + 1 where id = 4'],
    ['a payment', `update posting set payment_id = payment_id || 'x' where id = 4`],
    ['a moment', `update posting set posted_at = posted_at - interval '1 microsecond' where id = 4`],
    [
      'its two sides',
      'update posting set debit_account_id = credit_account_id, credit_account_id = debit_account_id where id = 4',
    ],
  ])('finds that %s of a posting was changed, and names the first broken seal', async (_, forgery) => {
    expect((await verify()).firstBroken).toBeNull();
    await books.forge(forgery);
    expect((await verify()).firstBroken).toEqual({ ...SECOND, foundPostings: 3, broken: 'POSTINGS' });
  });

  it('finds that an account got another name', async () => {
    await books.forge(`update account set code = code || 'x' where code like 'merchant%'`);
    expect((await verify()).firstBroken).toMatchObject({ sequence: 1n, broken: 'POSTINGS' });
  });

  it('finds a posting that was removed', async () => {
    await books.forge('delete from posting where id = 5');
    expect((await verify()).firstBroken).toEqual({ ...SECOND, foundPostings: 2, broken: 'POSTINGS' });
  });

  it('finds a posting that was slipped into the past', async () => {
    const failed = await writing();
    await failed.rollback();
    await books.postEach(1);
    await seal();
    expect((await verify()).firstBroken).toBeNull();
    await books.forge(`insert into posting (id, payment_id, leg, debit_account_id, credit_account_id, amount_minor, currency, posted_at)
      overriding system value select 8, payment_id, 'forged', debit_account_id, credit_account_id, 1, currency, posted_at from posting where id = 1`);
    expect((await verify()).firstBroken).toMatchObject({ sequence: 4n, sealedPostings: 1, foundPostings: 2 });
  });

  it('finds that two postings have changed places', async () => {
    await books.forge(`alter table posting alter id drop identity; update posting set id = -id where id in (3, 4);
      update posting set id = case id when -3 then 4 else 3 end where id < 0`);
    expect((await verify()).firstBroken).toMatchObject({ sequence: 2n, broken: 'POSTINGS' });
  });

  it('finds a seal that was mended with its postings, by the next one', async () => {
    await books.forge(`create table kept as select * from posting_seal where sequence = 3;
      update posting set amount_minor = amount_minor + 1 where id = 4; delete from posting_seal where sequence >= 2`);
    expect(await books.orm.em.fork().transactional((em) => sealNext(em, 5n, now()))).toMatchObject({ toId: 5n });
    await books.forge('insert into posting_seal select * from kept');
    expect((await verify()).firstBroken).toMatchObject({ sequence: 3n, broken: 'POSTINGS' });
  });

  it('finds a seal that is missing', async () => {
    await books.forge('delete from posting_seal where sequence = 2');
    expect((await verify()).firstBroken).toMatchObject({ sequence: 3n, broken: 'GAP' });
  });

  it('reads more seals than a page has', async () => {
    for (let count = 3; count < 23; count += 1) {
      await books.postEach(1);
      await seal();
    }
    expect(await verify()).toMatchObject({ seals: 23, sealedPostings: 27, firstBroken: null });
    await books.forge('update posting set amount_minor = amount_minor + 1 where id = 27');
    expect((await verify()).firstBroken).toMatchObject({ sequence: 23n, fromId: 27n });
  });

  it('goes page by page, and finds the same', async () => {
    const first = await verifySeals(books.em, null, 1);
    expect(first).toMatchObject({ last: { sequence: 1n }, postings: 2, broken: null });
    expect(await verifySeals(books.em, first.last, 1)).toMatchObject({
      last: { sequence: 2n },
      postings: 3,
      broken: null,
    });
  });
});
