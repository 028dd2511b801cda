import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { type JobResult, PgBoss } from 'pg-boss';
import { UnavailableError } from '../../../../subgraphs/kernel/error.js';
import type { Logger } from '../../../../subgraphs/kernel/telemetry.js';
import {
  backOff,
  endedBy,
  MOVED,
  movedTo,
  OVER,
  POLL,
  type Progress,
} from '../../../../subgraphs/payments/saga/saga.states.js';
import { SagaWorker } from '../../../../subgraphs/payments/saga/saga.worker.js';
import { Books } from '../../../support/books.js';

type Advance = (id: string, known: string | null) => Promise<Progress<string>>;

interface Row {
  attempt: number;
  /** In seconds from now; null without one. */
  lease: number | null;
  owner: number | null;
  /** In milliseconds from now. */
  next: number | null;
  /** As ISO 8601. */
  unclear: string | null;
}

/** What time it is to the workers: nobody else's clock. */
const NOW = '2026-06-01T12:00:00.000Z';
const EARLIER = '2026-06-01T11:59:50.000Z';
const LATER = '2026-06-01T17:00:00.000Z';

let books: Books;
let boss: PgBoss;
let id: string;
let workers: SagaWorker<string>[] = [];
let lines: { level: string; text: string; fields: Record<string, unknown> }[] = [];

const logger = Object.fromEntries(
  ['info', 'warn', 'error'].map((level) => [
    level,
    (fields: Record<string, unknown>, text: string) => lines.push({ level, text, fields }),
  ]),
) as unknown as Logger;

beforeAll(async () => {
  books = await Books.open();
  boss = new PgBoss({ connectionString: books.url, max: 2, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
});
afterAll(async () => {
  await boss.stop({ graceful: false });
  await books.close();
});
beforeEach(async () => {
  lines = [];
  await books.forge("update payment set status = 'COMPLETED', paid_at = now(), completed_at = now()");
  [id = ''] = await books.morePayments(1);
  await books.forge(`update payment set status = 'PROCESSING' where id = '${id}'`);
});
afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
  // Who has stopped would take the guards of the next test, and do nothing.
  await boss.offWork('payment');
});

function worker(advance: Advance, em = books.orm.em, queue = boss): SagaWorker<string> {
  const work = { table: 'payment' as const, undecided: "status in ('PROCESSING', 'PAID')", advance };
  const made = new SagaWorker<string>(work, em, books.url, queue, logger, () => new Date(NOW));
  workers.push(made);
  return made;
}

/** A worker with no place left, until those who have all of them leave. */
async function crowdedWorker(advance: Advance) {
  const ids = await books.morePayments(64);
  await books.forge(`update payment set status = 'PROCESSING' where id in ('${ids.join("','")}')`);
  let isHeld = true;
  const driving = worker(async (of, known) => {
    if (!ids.includes(of)) return advance(of, known);
    await until(() => !isHeld);
    return endedBy(true);
  });
  for (const each of ids) driving.kick(each);
  const leave = () => {
    isHeld = false;
  };
  return { driving, leave };
}

/** A queue without a database: what guards were written, and a visit of some that are due. */
function quickQueue() {
  const guarded: string[] = [];
  const trouble: Error[] = [];
  let look: (jobs: { id: string; data: { id: string } }[]) => Promise<JobResult[]> = async () => [];
  const queue = {
    getQueues: async () => [{ name: 'payment' }],
    getSchedules: async () => [],
    work: async (_name: string, _options: object, handler: typeof look) => {
      look = handler;
    },
    send: async (_name: string, { id: of }: { id: string }) => {
      const error = trouble.shift();
      if (error) throw error;
      guarded.push(of);
    },
  } as unknown as PgBoss;
  const visit = (...of: string[]) => look(of.map((each) => ({ id: `guard of ${each}`, data: { id: each } })));
  return { queue, guarded, trouble, visit };
}

/** Has time pass only when told to; what sockets and `until` wait for goes on. */
function holdTime(): void {
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'setInterval'],
  });
}

async function row(of = id): Promise<Row> {
  const [found] = await books.em.execute<Row[]>(
    `select attempt, lease_owner as owner, extract(epoch from lease_until - now())::float8 as lease,
            (1000 * extract(epoch from next_attempt_at - now()))::float8 as next,
            to_char(unclear_since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as unclear
       from payment where id = ?`,
    [of],
  );
  return found ?? { attempt: -1, lease: null, owner: null, next: null, unclear: null };
}

const set = (change: string) => books.forge(`update payment set ${change} where id = '${id}'`);

/** Looks until it finds, or its test has ended without. */
async function until<Found>(look: () => Promise<Found | null> | Found | null | false): Promise<Found> {
  const test = lines;
  while (test === lines) {
    const found = await look();
    if (found) return found;
    await delay(5);
  }
  throw new Error('not found');
}

/** Advances by these answers, one after the other, and then is over. */
function answering(...answers: (Progress<string> | Error)[]) {
  const asked: [id: string, known: string | null][] = [];
  const advance: Advance = async (of, known) => {
    asked.push([of, known]);
    const answer = answers[asked.length - 1] ?? OVER;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, advance };
}

describe('A kick', () => {
  it('drives step by step, each with what the one before has left, under a lease that ends with the last', async () => {
    const leases: Row[] = [];
    const { asked, advance } = answering(movedTo('a'), MOVED, movedTo('b'));
    await set("next_attempt_at = now() + interval '1 hour'");
    worker(async (of, known) => {
      leases.push(await row());
      return advance(of, known);
    }).kick(id);
    await until(() => asked.length === 4);
    expect(asked).toEqual([
      [id, null],
      [id, 'a'],
      [id, null],
      [id, 'b'],
    ]);
    for (const { lease, owner, next } of leases) {
      expect(lease).toBeGreaterThan(30);
      expect(lease).toBeLessThanOrEqual(40);
      expect(owner).toBeGreaterThan(0);
      expect(next).toBeNull();
    }
    await until(async () => (await row()).lease === null);
  });

  it('writes nothing more where the last step has ended the lease with itself', async () => {
    const { asked, advance } = answering(endedBy(true));
    const driving = worker(advance);
    driving.kick(id);
    await until(() => asked.length === 1);
    await driving.stop();
    expect((await row()).lease).not.toBeNull();
  });

  it('gives place and lease back while it waits, and comes back by itself', async () => {
    const { asked, advance } = answering({ kind: 'WAIT', ms: 400, failed: false, unclear: false });
    worker(advance).kick(id);
    const rested = await until(async () => {
      const { attempt, lease, next } = await row();
      return next === null ? null : { attempt, lease, next };
    });
    expect(rested).toMatchObject({ attempt: 0, lease: null });
    expect(rested.next).toBeGreaterThan(0);
    expect(rested.next).toBeLessThanOrEqual(400);
    expect(asked).toHaveLength(1);
    await until(() => asked.length === 2);
  });

  it('counts what fails, says why, and waits longer each time', async () => {
    const { asked, advance } = answering(new Error('no answer'));
    await set('attempt = 5');
    worker(advance).kick(id);
    const { attempt, next, lease } = await until(async () => {
      const found = await row();
      return found.next === null ? null : found;
    });
    expect([attempt, lease]).toEqual([6, null]);
    // A quarter of a second, doubled five times, and half of it by chance.
    expect(next).toBeGreaterThan(3_000);
    expect(next).toBeLessThanOrEqual(8_000);
    const warning = lines.find(({ level }) => level === 'warn');
    expect(warning).toMatchObject({ text: 'a step failed, trying again', fields: { id, cause: 'no answer' } });
    expect(asked).toHaveLength(1);
  });

  it('begins to count anew where a step before it has moved', async () => {
    const { advance } = answering(MOVED, new Error('no answer'));
    await set('attempt = 9');
    worker(advance).kick(id);
    const { next } = await until(async () => {
      const found = await row();
      return found.next === null ? null : found;
    });
    expect(next).toBeLessThanOrEqual(250);
  });

  it.each([
    [19, true, 0],
    [20, true, 1],
    [21, true, 0],
    [40, true, 1],
    [0, true, 0],
    [20, false, 0],
  ])('is loud at every twentieth attempt that failed: after %s, failed %s', async (attempt, failed, errors) => {
    const { advance } = answering({ kind: 'WAIT', ms: 60_000, failed, unclear: false });
    await set(`attempt = ${attempt}`);
    worker(advance).kick(id);
    await until(async () => (await row()).next !== null);
    const loud = lines.filter(({ level }) => level === 'error');
    expect(loud).toHaveLength(errors);
    for (const { text, fields } of loud) {
      expect(text).toBe('undecided after many attempts');
      expect(fields).toEqual({ id, attempts: attempt });
    }
  });

  it('ends what only waits, and runs once more after what runs', async () => {
    const { asked, advance } = answering({ kind: 'WAIT', ms: 60_000, failed: false, unclear: false }, POLL);
    let isHeld = true;
    const driving = worker(async (of, known) => {
      const answer = await advance(of, known);
      if (asked.length === 2) await until(() => !isHeld);
      return asked.length === 2 ? OVER : answer;
    });
    driving.kick(id);
    await until(async () => (await row()).next !== null);
    driving.kick(id);
    await until(() => asked.length === 2);
    driving.kick(id);
    driving.kick(id);
    expect(asked).toHaveLength(2);
    isHeld = false;
    await until(() => asked.length === 3);
    await driving.stop();
    expect(asked).toHaveLength(3);
  });

  it('comes once for what waits: no more when its time would have come', async () => {
    holdTime();
    const { asked, advance } = answering({ kind: 'WAIT', ms: 400, failed: false, unclear: false });
    const driving = worker(advance, books.orm.em, quickQueue().queue);
    driving.kick(id);
    await driving.idle();
    driving.kick(id);
    await driving.idle();
    expect(asked).toHaveLength(2);
    jest.advanceTimersByTime(400);
    await driving.idle();
    expect(asked).toHaveLength(2);
  });

  it('is in vain where the step that it meets ends the lease with itself', async () => {
    const { asked, advance } = answering(endedBy(true));
    const driving = worker(async (of, known) => {
      if (asked.length === 0) driving.kick(of);
      return advance(of, known);
    });
    driving.kick(id);
    await driving.idle();
    expect(asked).toHaveLength(1);
  });

  it('does nothing for what is decided, or for what is not there', async () => {
    const { asked, advance } = answering();
    const driving = worker(advance);
    await set("status = 'FAILED', reason = 'TEST'");
    driving.kick(id);
    driving.kick('pay_us_nobody');
    await driving.idle();
    expect(asked).toEqual([]);
    expect((await row()).owner).toBeNull();
    expect(lines).toEqual([]);
  });

  it('drives at most 64 at once, and all in the end', async () => {
    const ids = await books.morePayments(70);
    await books.forge(`update payment set status = 'PROCESSING' where id in ('${ids.join("','")}')`);
    const driven = new Set<string>();
    let isHeld = true;
    const driving = worker(async (of) => {
      driven.add(of);
      await until(() => !isHeld);
      return endedBy(true);
    });
    for (const each of ids) driving.kick(each);
    await until(() => driven.size >= 64);
    await delay(50);
    expect(driven.size).toBe(64);
    isHeld = false;
    await until(() => driven.size === 70);
  });

  it('comes back after a second where the database did not answer', async () => {
    const { asked, advance } = answering();
    let isDown = true;
    const fork = () => {
      if (isDown) throw new Error('down');
      return books.em;
    };
    worker(advance, { fork } as unknown as typeof books.orm.em).kick(id);
    const [line] = await until(() => (lines.length > 0 ? lines : null));
    expect(line).toMatchObject({ level: 'error', text: 'could not drive, trying again', fields: { id } });
    isDown = false;
    await until(() => asked.length === 1);
  });
});

describe('What this process has just written under its own lease', () => {
  const leased = async (driving: SagaWorker<string>) => {
    const columns = Object.entries(driving.lease).map(([column, content]) => `${column} = ${content}`);
    await set(columns.join(', '));
  };

  it('is begun at once, without taking it or reading it again', async () => {
    const { asked, advance } = answering(movedTo('b'));
    const driving = worker(advance);
    await leased(driving);
    const before = await row();
    expect(before.lease).toBeGreaterThan(30);
    // Whoever took it would set this.
    await set("next_attempt_at = now() - interval '1 hour'");
    driving.begin(id, 'a');
    await until(() => asked.length === 2);
    expect(asked).toEqual([
      [id, 'a'],
      [id, 'b'],
    ]);
    await until(async () => (await row()).lease === null);
    expect((await row()).next).toBeLessThan(0);
  });

  it.each([
    ['is taken and read like any other', 'five seconds for a place', 5_000, null],
    ['is begun with what is known of it', 'less, whoever kicks it meanwhile', 4_999, 'a'],
  ])('%s where it had to wait %s', async (_, _wait, waited, known) => {
    const { asked, advance } = answering();
    const { driving, leave } = await crowdedWorker(advance);
    await leased(driving);
    let now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    driving.begin(id, 'a');
    driving.kick(id);
    now += waited;
    leave();
    await until(() => asked.length === 1);
    expect(asked).toEqual([[id, known]]);
  });

  it('is left to others, and with its lease, where this process stops', async () => {
    const { asked, advance } = answering();
    const driving = worker(advance);
    await leased(driving);
    await driving.stop();
    driving.begin(id, 'a');
    await driving.idle();
    expect(asked).toEqual([]);
    expect((await row()).lease).toBeGreaterThan(30);
  });
});

describe('A lease', () => {
  const OWNERS = 71_026_010;
  let other: pg.Client;
  beforeEach(async () => {
    other = new pg.Client({ connectionString: books.url });
    await other.connect();
    await other.query('select pg_advisory_lock($1, 777)', [OWNERS]);
  });
  afterEach(() => other.end());

  it.each([
    ['of a process that lives', "now() + interval '1 hour'", 777, false],
    ['of a process that is gone', "now() + interval '1 hour'", 778, true],
    ['that has run out', "now() - interval '1 second'", 777, true],
    ['that was given back', 'null', 777, true],
  ])('%s keeps others away only as long as somebody works on it', async (_, lease, owner, isTaken) => {
    await set(`lease_until = ${lease}, lease_owner = ${owner}`);
    const { asked, advance } = answering();
    const driving = worker(advance);
    driving.kick(id);
    await driving.idle();
    expect(asked).toHaveLength(isTaken ? 1 : 0);
    expect((await row()).owner !== owner).toBe(isTaken);
  });

  it.each([
    ['a lease of a process that is gone', "now() + interval '1 hour'", 778, NOW],
    ['a lease that has run out', "now() - interval '1 second'", 777, NOW],
    ['what was given back', 'null', 777, EARLIER],
  ])('tells who takes up %s since when a request may be under way', async (_, lease, owner, since) => {
    await set(`lease_until = ${lease}, lease_owner = ${owner}, unclear_since = '${EARLIER}'`);
    const found: (string | null)[] = [];
    const driving = worker(async () => {
      found.push((await row()).unclear);
      return OVER;
    });
    driving.kick(id);
    await driving.idle();
    expect(found).toEqual([since]);
    expect((await row()).unclear).toBe(since);
  });

  it.each([
    ['rests', backOff(0)],
    ['ends', OVER],
  ])('of a successor stays when who had lost it %s: the next sees that the successor died', async (_, answer) => {
    const driving = worker(async () => {
      await set("lease_until = now() + interval '1 hour', lease_owner = 778");
      return answer;
    });
    driving.kick(id);
    await driving.idle();
    const { owner, lease } = await row();
    expect(owner).toBe(778);
    expect(lease).toBeGreaterThan(3_000);
  });

  it('of one’s own is what a failing database left of it, and is taken up', async () => {
    const { asked, advance } = answering(...Array.from({ length: 50 }, () => endedBy(true)));
    const driving = worker(advance);
    await driving.start();
    driving.kick(id);
    await until(() => asked.length > 0);
    const before = asked.length;
    await until(async () => {
      driving.kick(id);
      await delay(20);
      return asked.length > before + 1;
    });
    expect((await row()).lease).toBeGreaterThan(0);
  });

  it('is known to be of a process that lives from its start on, whatever another one thinks of it', async () => {
    let isHeld = true;
    const driving = worker(async () => {
      await until(() => !isHeld);
      return OVER;
    });
    await set("next_attempt_at = now() + interval '1 hour'");
    await driving.start();
    driving.kick(id);
    await until(async () => (await row()).owner !== null);
    const { asked, advance } = answering();
    const other = worker(advance);
    other.kick(id);
    await other.idle();
    isHeld = false;
    expect(asked).toEqual([]);
  });

  /** The names of those who are known to live by the number in this worker's leases. */
  const present = async (driving: SagaWorker<string>) => {
    const found = await books.em.execute<{ name: string }[]>(
      `select application_name as name from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and classid = ? and objid::text = ? and granted and datname = current_database()`,
      [OWNERS, driving.lease['lease_owner'] ?? ''],
    );
    return found.map(({ name }) => name);
  };

  it('is that of a process known to live, by a connection of that name, as soon as it has arrived', async () => {
    const driving = worker(answering().advance);
    expect(await present(driving)).toEqual([]);
    await driving.arrive();
    expect(await present(driving)).toEqual(['payment-worker']);
    await driving.stop();
    await until(async () => (await present(driving)).length === 0);
  });

  it('holds again by the next look where the connection was lost that made it known', async () => {
    holdTime();
    const driving = worker(answering().advance, books.orm.em, quickQueue().queue);
    await driving.start();
    await books.forge(`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and classid = ${OWNERS} and objid::text = '${driving.lease['lease_owner']}'`);
    await until(() => lines.some(({ text }) => text === 'lost the connection to the database'));
    expect(await present(driving)).toEqual([]);
    jest.advanceTimersByTime(5_000);
    expect(await until(async () => (await present(driving))[0])).toBe('payment-worker');
  });

  it('is renewed after five seconds of steps, each time, and not before', async () => {
    const passed = [0, 4_999, 1, 4_999, 1];
    const [began, isNew] = [Date.now(), [] as boolean[]];
    let now = began;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const driving = worker(async () => {
      isNew.push(((await row()).lease ?? 0) > 30);
      await set("lease_until = now() + interval '20 seconds'");
      now += passed[isNew.length] ?? 0;
      return isNew.length < passed.length ? MOVED : endedBy(true);
    });
    driving.kick(id);
    await until(() => isNew.length === passed.length);
    expect(isNew).toEqual([true, false, true, false, true]);
    // And not because trouble has had it taken anew.
    expect(lines).toEqual([]);
  });
});

describe('What a worker asked for without hearing what became of it', () => {
  const unheard = new UnavailableError('SUBGRAPH_UNAVAILABLE', 'A part of the service does not answer.');

  it.each([
    ['is under way since the last of it', backOff(0), EARLIER, NOW],
    ['is under way since it was asked for first', backOff(0), null, NOW],
    ['is no more than it was after a refusal', backOff(0, false), EARLIER, EARLIER],
    ['is nothing where the other side is at work', POLL, null, null],
    ['may be anything that had gone before an error', new Error('no answer'), null, NOW],
    ['is nothing where another subgraph did not say whom to ask', unheard, null, null],
    ['was asked for before now, whatever a clock said that has been set back', POLL, LATER, NOW],
  ])('%s', async (_, answer, before, since) => {
    if (before) await set(`unclear_since = '${before}'`);
    worker(answering(answer).advance).kick(id);
    await until(async () => (await row()).next !== null);
    expect((await row()).unclear).toBe(since);
  });
});

describe('A start', () => {
  it('takes the oldest first where it cannot take up all at once', async () => {
    const ids = await books.morePayments(70);
    await books.forge(`update payment set status = 'PROCESSING', created_at = created_at - age * interval '1 minute'
      from unnest(array['${ids.join("','")}']) with ordinality due (of, age) where id = due.of`);
    const driven = new Set<string>();
    let isHeld = true;
    const driving = worker(async (of) => {
      driven.add(of);
      await until(() => !isHeld);
      return endedBy(true);
    });
    await driving.start();
    await until(() => driven.size >= 64);
    // All that are left, and the one of every test, are younger.
    expect([...driven].sort()).toEqual(ids.slice(-64).sort());
    isHeld = false;
    await until(() => driven.size === 71);
  });

  it('takes up all that is due, and leaves what waits and what somebody has', async () => {
    const [waits = '', due = '', leased = ''] = await books.morePayments(3);
    await books.forge(`
      update payment set status = 'PROCESSING' where id in ('${waits}', '${due}', '${leased}');
      update payment set next_attempt_at = now() + interval '1 hour' where id = '${waits}'`);
    const other = new pg.Client({ connectionString: books.url });
    await other.connect();
    await other.query('select pg_advisory_lock(71026010, 779)');
    await books.forge(
      `update payment set lease_until = now() + interval '1 hour', lease_owner = 779 where id = '${leased}'`,
    );
    const { asked, advance } = answering();
    const driving = worker(advance);
    await driving.start();
    await until(() => asked.length === 2);
    await driving.stop();
    await other.end();
    // Side by side: which of them gets its lease first is left open.
    expect(asked.map(([of]) => of).sort()).toEqual([due, id].sort());
  });

  it('says that it could not look, and looks again every five seconds', async () => {
    holdTime();
    const { asked, advance } = answering(endedBy(true));
    let isDown = true;
    const fork = () => {
      if (isDown) throw new Error('down');
      return books.em;
    };
    await worker(advance, { fork } as unknown as typeof books.orm.em, quickQueue().queue).start();
    expect(lines).toMatchObject([
      { level: 'warn', text: 'could not look for what is undecided', fields: { err: { message: 'down' } } },
    ]);
    isDown = false;
    jest.advanceTimersByTime(4_999);
    expect(asked).toEqual([]);
    jest.advanceTimersByTime(1);
    await until(() => asked.length === 1);
    // What a dead process leased since then, by another look.
    await set('lease_until = null');
    jest.advanceTimersByTime(5_000);
    await until(() => asked.length === 2);
  });

  it('takes the guard of what had to wait, one for each, again and again until it is decided', async () => {
    const wait = { kind: 'WAIT', ms: 3_600_000, failed: true, unclear: true } as const;
    const { asked, advance } = answering(wait, wait, ...Array.from({ length: 50 }, () => endedBy(true)));
    const driving = worker(advance);
    await set("next_attempt_at = now() + interval '1 hour'");
    await driving.start();
    driving.kick(id);
    await until(() => asked.length === 1);
    await driving.idle();
    driving.kick(id);
    await until(() => asked.length === 2);
    await driving.idle();
    const job = async () => {
      const [found] = await books.em.execute<{ state: string; waits: number; limit: number }[]>(
        `select state::text, extract(epoch from start_after - now())::float8 as waits, retry_limit as limit
           from pgboss.job where name = 'payment' and data ->> 'id' = ?`,
        [id],
      );
      return found;
    };
    const [{ guards } = { guards: 0 }] = await books.em.execute<{ guards: number }[]>(
      "select count(*)::int as guards from pgboss.job where name = 'payment' and data ->> 'id' = ?",
      [id],
    );
    expect(guards).toBe(1);
    const guard = await job();
    expect(guard?.state).toBe('created');
    expect(guard?.waits).toBeGreaterThan(5);
    expect(guard?.waits).toBeLessThanOrEqual(10);
    const hurry = `update pgboss.job set start_after = now() where data ->> 'id' = '${id}' and state < 'active'`;
    await books.forge(hurry);
    await until(async () => (await job())?.state === 'retry');
    // It waits for its time, and so does its guard.
    expect(asked).toHaveLength(2);
    await books.forge(`${hurry}; update payment set next_attempt_at = null where id = '${id}'`);
    await until(() => asked.length > 2);
    expect(await until(async () => ((await job())?.state === 'retry' ? job() : null))).toMatchObject({
      limit: 1_000_000,
    });
    await set("status = 'FAILED', reason = 'TEST'");
    await books.forge(hurry);
    await until(async () => (await job())?.state === 'completed');
  });
});

describe('A guard', () => {
  const wait = { kind: 'WAIT', ms: 3_600_000, failed: false, unclear: false } as const;

  it('comes with others: it is done when its thing is decided, and kicks what is due', async () => {
    // No look, which would kick it too.
    holdTime();
    const [waits = '', decided = ''] = await books.morePayments(2);
    await set("next_attempt_at = now() + interval '1 hour'");
    await books.forge(
      `update payment set status = 'PROCESSING', next_attempt_at = now() + interval '1 hour' where id = '${waits}'`,
    );
    const { queue, visit } = quickQueue();
    const { asked, advance } = answering();
    const driving = worker(advance, books.orm.em, queue);
    await driving.start();
    await set('next_attempt_at = null');
    expect(await visit(decided, id, waits)).toEqual([
      { id: `guard of ${decided}`, status: 'completed' },
      { id: `guard of ${id}`, status: 'failed' },
      { id: `guard of ${waits}`, status: 'failed' },
    ]);
    await driving.idle();
    expect(asked).toEqual([[id, null]]);
  });

  it('is written anew for what was over and waits once more, and nothing is kept of what is over', async () => {
    const { queue, guarded } = quickQueue();
    const driving = worker(answering(wait, wait, OVER, wait).advance, books.orm.em, queue);
    const remembered = () =>
      Object.values(driving).reduce((sum, it) => sum + (it instanceof Map || it instanceof Set ? it.size : 0), 0);
    for (const [guards, entries] of [
      [1, 2],
      [1, 2],
      [1, 0],
      [2, 2],
    ]) {
      driving.kick(id);
      await driving.idle();
      expect([guarded.length, remembered()]).toEqual([guards, entries]);
    }
  });

  it('is written by the next wait where it could not be written, which is said', async () => {
    const { queue, guarded, trouble } = quickQueue();
    const err = new Error('no queue');
    trouble.push(err);
    const driving = worker(answering(wait, wait).advance, books.orm.em, queue);
    driving.kick(id);
    await driving.idle();
    expect(guarded).toEqual([]);
    driving.kick(id);
    await driving.idle();
    expect(guarded).toEqual([id]);
    expect(lines).toEqual([{ level: 'warn', text: 'could not write a guard', fields: { err, id } }]);
  });
});

describe('A stop', () => {
  it('waits for the step under way, takes no other, and hears no kick any more', async () => {
    const [second = ''] = await books.morePayments(1);
    await books.forge(`update payment set status = 'PROCESSING' where id = '${second}'`);
    const { asked, advance } = answering(MOVED);
    let isHeld = true;
    const driving = worker(async (of, known) => {
      const answer = await advance(of, known);
      await until(() => !isHeld);
      return answer;
    });
    driving.kick(id);
    await until(() => asked.length === 1);
    let isStopped = false;
    const stopping = driving.stop().then(() => {
      isStopped = true;
    });
    driving.kick(second);
    driving.kick(id);
    await delay(20);
    expect(isStopped).toBe(false);
    isHeld = false;
    await stopping;
    expect(asked).toEqual([[id, null]]);
    expect((await row()).lease).toBeNull();
    expect((await row(second)).owner).toBeNull();
  });

  it('is not needed to know that nothing is under way, while something waits for its time', async () => {
    const { asked, advance } = answering({ kind: 'WAIT', ms: 60_000, failed: false, unclear: false });
    let isHeld = true;
    const driving = worker(async (of, known) => {
      await until(() => !isHeld);
      return advance(of, known);
    });
    await driving.idle();
    driving.kick(id);
    let isIdle = false;
    const idling = driving.idle().then(() => {
      isIdle = true;
    });
    await until(async () => (await row()).owner !== null);
    expect(isIdle).toBe(false);
    isHeld = false;
    await idling;
    expect(asked).toHaveLength(1);
    expect((await row()).next).toBeGreaterThan(50_000);
  });

  it('leaves nobody a place that is given back by then', async () => {
    const { asked, advance } = answering();
    const { driving, leave } = await crowdedWorker(advance);
    driving.kick(id);
    const stopping = driving.stop();
    leave();
    await stopping;
    await driving.idle();
    expect(asked).toEqual([]);
    expect((await row()).owner).toBeNull();
  });

  it('lets the process end: it leaves no timer for what rests, for what comes to rest, or for the next look', async () => {
    holdTime();
    const [begun, cleared] = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'clearTimeout')];
    const timers = () => {
      const ended = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
      const left = begun.mock.calls.filter((_, index) => !ended.has(begun.mock.results[index]?.value));
      return left.map(([, ms]) => ms).filter((ms) => ms === 54_321 || ms === 5_000);
    };
    const [second = ''] = await books.morePayments(1);
    await books.forge(`update payment set status = 'PROCESSING' where id = '${second}'`);
    let isHeld = false;
    const driving = worker(
      async () => {
        await until(() => !isHeld);
        return { kind: 'WAIT', ms: 54_321, failed: false, unclear: false };
      },
      books.orm.em,
      quickQueue().queue,
    );
    driving.kick(id);
    await driving.idle();
    isHeld = true;
    await driving.start();
    await until(async () => (await row(second)).owner !== null);
    expect(timers()).toEqual([54_321, 5_000]);
    const stopping = driving.stop();
    isHeld = false;
    await stopping;
    expect((await row(second)).next).toBeGreaterThan(0);
    expect(timers()).toEqual([]);
  });

  it('is the end of looking, though a look is under way', async () => {
    holdTime();
    let [looks, isHeld] = [0, true];
    const execute = async () => {
      looks += 1;
      await until(() => !isHeld);
      return [];
    };
    const em = { fork: () => ({ execute }) } as unknown as typeof books.orm.em;
    const driving = worker(answering().advance, em, quickQueue().queue);
    const starting = driving.start();
    await until(() => looks === 1);
    await driving.stop();
    isHeld = false;
    await starting;
    jest.advanceTimersByTime(5_000);
    expect(looks).toBe(1);
  });
});
