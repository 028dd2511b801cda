import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { BusEvent, EventBus, EventStream, OutgoingEvent } from '../../../../subgraphs/kernel/event/event-bus.js';
import { NatsEventBus } from '../../../../subgraphs/kernel/event/event-bus.nats.js';
import { PostgresEventBus } from '../../../../subgraphs/kernel/event/event-bus.postgres.js';
import { openEventBus } from '../../../../subgraphs/kernel/event/open-event-bus.js';
import { busDatabase, freshBus } from '../../../support/database.migrated.js';
import { Line } from '../../../support/line.js';
import { silent } from '../../../support/logger.js';
import { NatsServer, natsBinary, natsMissing } from '../../../support/nats.js';
import { Statements } from '../../../support/statements.js';

interface Driver {
  open(): Promise<EventBus>;
  /** Breaks every connection, as a restart of the server does. */
  interrupt(): Promise<void>;
  stop(): Promise<void>;
}

async function postgres(): Promise<Driver> {
  const url = await busDatabase();
  return {
    open: () => PostgresEventBus.open(url, silent),
    interrupt: async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      await client.end();
    },
    stop: async () => undefined,
  };
}

async function nats(): Promise<Driver> {
  const server = await NatsServer.start();
  return {
    open: () => NatsEventBus.open(server.url, silent),
    interrupt: async () => {
      await server.kill();
      await server.resume();
    },
    stop: () => server.stop(),
  };
}

let counter = 0;

function event(subject: string, n: number, more: Partial<OutgoingEvent> = {}): OutgoingEvent {
  return { id: `${subject}-${n}`, subjects: [subject], payload: { n }, ...more };
}

function subjectOfOnesOwn(): string {
  counter += 1;
  return `payment.p${counter}`;
}

const prefixOfOnesOwn = () => subjectOfOnesOwn().replace('.', '-');

async function take(stream: EventStream, count: number): Promise<BusEvent[]> {
  const taken: BusEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the stream ended');
    taken.push(value);
  }
  return taken;
}

const numbers = (events: readonly BusEvent[]) => events.map(({ payload }) => payload['n']);
const upTo = (most: number, from = 1) => Array.from({ length: most - from + 1 }, (_, index) => from + index);

async function until(condition: () => boolean, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await delay(10);
  }
}

function lawsOf(start: () => Promise<Driver>): void {
  let driver: Driver;
  let bus: EventBus;
  let other: EventBus;
  const streams: EventStream[] = [];

  const subscribe = async (...args: Parameters<EventBus['subscribe']>): Promise<EventStream> => {
    const stream = await bus.subscribe(...args);
    streams.push(stream);
    return stream;
  };

  beforeAll(async () => {
    driver = await start();
    bus = await driver.open();
    other = await driver.open();
  });
  afterEach(async () => {
    await Promise.all(streams.splice(0).map((stream) => stream.return()));
  });
  afterAll(async () => {
    await bus.close();
    await other.close();
    await driver.stop();
  });

  it('delivers the past, then what is live, in order and without gap or repeat', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish(upTo(1_200).map((n) => event(subject, n)));
    const stream = await subscribe(subject, 'BEGINNING');
    const live = (async () => {
      for (let n = 1_201; n <= 1_300; n += 1) await other.publish([event(subject, n)]);
    })();
    expect(numbers(await take(stream, 1_300))).toEqual(upTo(1_300));
    await live;
  });

  it('delivers to a subscriber what another process publishes, at once', async () => {
    const subject = subjectOfOnesOwn();
    const stream = await subscribe(subject, 'LIVE');
    const publishedAt = Date.now();
    await other.publish([event(subject, 1)]);
    const [first] = await take(stream, 1);
    expect(first).toMatchObject({ id: `${subject}-1`, subject, payload: { n: 1 } });
    expect(Date.now() - publishedAt).toBeLessThan(800);
  });

  it('keeps the order of a batch within a subject', async () => {
    const [one, two] = [subjectOfOnesOwn(), subjectOfOnesOwn()];
    await bus.publish(upTo(300).map((n) => ({ id: `both-${one}-${n}`, subjects: [one, two], payload: { n } })));
    expect(numbers(await take(await subscribe(one, 'BEGINNING'), 300))).toEqual(upTo(300));
    expect(numbers(await take(await subscribe(two, 'BEGINNING'), 300))).toEqual(upTo(300));
  });

  it('resumes after any position without gap or repeat', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish(upTo(10).map((n) => event(subject, n)));
    const all = await take(await subscribe(subject, 'BEGINNING'), 10);
    for (const [index, { position }] of all.entries()) {
      const stream = await subscribe(subject, { after: position });
      const marker = event(subject, 100 + index);
      await other.publish([marker]);
      const rest = [...upTo(10, index + 2), ...upTo(100 + index, 100)];
      expect(numbers(await take(stream, rest.length))).toEqual(rest);
    }
  });

  it('does not repeat the event that a position names, however far its own reading came', async () => {
    const subject = subjectOfOnesOwn();
    // A stream keeps the bus reading, so that it may lag behind what was just published.
    await subscribe(subject, 'LIVE');
    await bus.publish([event(subject, 1)]);
    const [first] = await take(await subscribe(subject, 'LATEST'), 1);
    const resumed = await subscribe(subject, { after: first?.position ?? '' });
    await bus.publish([event(subject, 2)]);
    expect(numbers(await take(resumed, 1))).toEqual([2]);
  });

  it('begins with the newest event for LATEST and with the next one for LIVE', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish(upTo(3).map((n) => event(subject, n)));
    const latest = await subscribe(subject, 'LATEST');
    const live = await subscribe(subject, 'LIVE');
    await bus.publish([event(subject, 4)]);
    expect(numbers(await take(latest, 2))).toEqual([3, 4]);
    expect(numbers(await take(live, 1))).toEqual([4]);
  });

  it('begins with the first event for LATEST where there was none', async () => {
    const subject = subjectOfOnesOwn();
    const latest = await subscribe(subject, 'LATEST');
    await bus.publish(upTo(2).map((n) => event(subject, n)));
    expect(numbers(await take(latest, 2))).toEqual([1, 2]);
  });

  it('stores an event once per subject, however often it is published', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish([event(subject, 1), event(subject, 1)]);
    await other.publish([event(subject, 1), event(subject, 2)]);
    expect(numbers(await take(await subscribe(subject, 'BEGINNING'), 2))).toEqual([1, 2]);
  });

  it('keeps only the newest event of a subject where only that matters', async () => {
    const subject = subjectOfOnesOwn();
    for (const n of upTo(5)) await bus.publish([event(subject, n, { latestOnly: true })]);
    const stream = await subscribe(subject, 'BEGINNING');
    expect(numbers(await take(stream, 1))).toEqual([5]);
    await bus.publish([event(subject, 6, { latestOnly: true })]);
    expect(numbers(await take(stream, 1))).toEqual([6]);
  });

  it('keeps subjects apart, also those that begin alike', async () => {
    const subject = subjectOfOnesOwn();
    const stream = await subscribe(subject, 'LIVE');
    await bus.publish([event(`${subject}.more`, 1), event(`${subject}0`, 2), event(subject, 3)]);
    expect(numbers(await take(stream, 1))).toEqual([3]);
  });

  it('feeds many subscribers of one subject alike', async () => {
    const subject = subjectOfOnesOwn();
    const many = await Promise.all(upTo(50).map(() => subscribe(subject, 'LIVE')));
    await bus.publish(upTo(20).map((n) => event(subject, n)));
    for (const stream of many) expect(numbers(await take(stream, 20))).toEqual(upTo(20));
  });

  it('hands what is published to followers, from the next event on, until they stop', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish([event(subject, 1)]);
    const taken: unknown[] = [];
    const alone: unknown[] = [];
    const followerTo = (list: unknown[]) => ({
      take: ({ payload }: BusEvent) => void list.push(payload['n']),
      lost: () => void list.push('lost'),
    });
    const following = await bus.follow(subject, followerTo(taken));
    const companion = await bus.follow(subject, followerTo(alone));
    await other.publish(upTo(300, 2).map((n) => event(subject, n)));
    await until(() => taken.length === 299 && alone.length === 299);
    expect(taken).toEqual(upTo(300, 2));
    expect(alone).toEqual(taken);
    following.stop();
    await other.publish([event(subject, 301)]);
    await until(() => alone.length === 300);
    expect(taken).toHaveLength(299);
    companion.stop();
    companion.stop();
    // Nobody listens now, and then somebody again.
    await other.publish([event(subject, 302)]);
    const again: unknown[] = [];
    const last = await bus.follow(subject, followerTo(again));
    await other.publish([event(subject, 303)]);
    await until(() => again.length > 0);
    expect(again).toEqual([303]);
    last.stop();
    expect(alone.at(-1)).toBe(301);
    await expect(bus.follow('payment.>', followerTo([]))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('gives the past alone too: it ends where the bus has no more, and joins a live stream without a gap', async () => {
    const subject = subjectOfOnesOwn();
    await bus.publish(upTo(1_200).map((n) => event(subject, n)));
    const publishing = (async () => {
      for (let n = 1_201; n <= 1_400; n += 1) await other.publish([event(subject, n)]);
    })();
    const live = await subscribe(subject, 'LIVE');
    const past: BusEvent[] = [];
    for await (const each of await bus.past(subject, 'BEGINNING')) past.push(each);
    await publishing;
    expect(numbers(past)).toEqual(upTo(past.length));
    expect(past.length).toBeGreaterThanOrEqual(1_200);
    // Whatever the past lacks is in the live stream, which may repeat some of it.
    const [first] = await take(live, 1);
    const begun = Number(first?.payload['n']);
    expect(begun).toBeLessThanOrEqual(past.length + 1);
    expect(numbers(await take(live, 1_400 - begun))).toEqual(upTo(1_400, begun + 1));
  });

  it('begins the past where a stream would begin, and has none for LIVE', async () => {
    const subject = subjectOfOnesOwn();
    const pastOf = async (start: Parameters<EventBus['past']>[1]) => {
      const past: BusEvent[] = [];
      for await (const each of await bus.past(subject, start)) past.push(each);
      return past;
    };
    expect(await pastOf('BEGINNING')).toEqual([]);
    expect(await pastOf('LATEST')).toEqual([]);
    const before = Date.now();
    await bus.publish(upTo(3).map((n) => event(subject, n)));
    const all = await pastOf('BEGINNING');
    expect(numbers(all)).toEqual([1, 2, 3]);
    expect(numbers(await pastOf('LATEST'))).toEqual([3]);
    expect(await pastOf('LIVE')).toEqual([]);
    expect(numbers(await pastOf({ after: all[0]?.position ?? '' }))).toEqual([2, 3]);
    expect(await pastOf({ after: all[2]?.position ?? '' })).toEqual([]);
    // By the bus's clock, which is this machine's here.
    for (const { publishedAt } of all) expect(Math.abs(publishedAt - before)).toBeLessThan(5_000);
    await expect(bus.past(subject, { after: '999999999999999999' })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    await expect(bus.past('payment.>', 'BEGINNING')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('lets a slow reader catch up, or tells it to resume, but never skips for it', async () => {
    const subject = subjectOfOnesOwn();
    const stream = await subscribe(subject, 'LIVE');
    const seen: BusEvent[] = await (async () => {
      await bus.publish([event(subject, 1)]);
      return take(stream, 1);
    })();
    await bus.publish(upTo(2_500, 2).map((n) => event(subject, n)));
    const watcher = await subscribe(subject, 'BEGINNING');
    await take(watcher, 2_500);
    const read = async (from: EventStream) => {
      while (seen.length < 2_500) {
        const { value } = await from.next();
        if (value) seen.push(value);
      }
    };
    await read(stream).catch(async (thrown) => {
      expect(thrown).toMatchObject({ code: 'STREAM_INTERRUPTED', transient: true });
      expect(await stream.next()).toEqual({ value: undefined, done: true });
      await read(await subscribe(subject, { after: seen.at(-1)?.position ?? '' }));
    });
    expect(numbers(seen)).toEqual(upTo(2_500));
  });

  it('ends a stream that waits, at once, when its reader leaves', async () => {
    const stream = await subscribe(subjectOfOnesOwn(), 'LIVE');
    const waiting = stream.next();
    await delay(20);
    const leftAt = Date.now();
    await stream.return();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(Date.now() - leftAt).toBeLessThan(100);
  });

  it.each(['>', '*', 'payment.*', 'payment.>', '', '.', 'a..b', 'a b', 'rate.US%'])(
    'knows no subject %j: a client cannot listen to more than one',
    async (subject) => {
      await expect(bus.subscribe(subject, 'LIVE')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(bus.publish([event(subject, 1)])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );

  it.each(['', 'x', '-1', '1.5', '99999999999999999999', '999999999999999999'])(
    'refuses the position %j, which it never gave',
    async (after) => {
      await expect(bus.subscribe(subjectOfOnesOwn(), { after })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    },
  );

  it('has nothing to do for no events', async () => {
    await expect(bus.publish([])).resolves.toBeUndefined();
    await expect(bus.ready()).resolves.toBeUndefined();
  });

  it('gives a consumer every event under its prefix, each again until it succeeds, in order', async () => {
    const prefix = prefixOfOnesOwn();
    await bus.publish([event(`${prefix}.a`, 1), event(`${prefix}x.a`, 0), event(`${prefix}.b`, 2)]);
    const seen: unknown[] = [];
    let failures = 0;
    const consumption = await bus.consume(prefix, prefix, async ({ payload }) => {
      if (payload['n'] === 2 && failures === 0) {
        failures += 1;
        throw new Error('not yet');
      }
      seen.push(payload['n']);
    });
    await other.publish([event(`${prefix}.a`, 3)]);
    await until(() => seen.length === 3);
    await consumption.stop();
    expect(failures).toBe(1);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('lets a consumer go on where one of its name stopped, in another process too', async () => {
    const prefix = prefixOfOnesOwn();
    const seen: unknown[] = [];
    const react = async ({ payload }: BusEvent) => void seen.push(payload['n']);
    const first = await bus.consume(prefix, prefix, react);
    await bus.publish(upTo(5).map((n) => event(`${prefix}.a`, n)));
    await until(() => seen.length === 5);
    await first.stop();
    await bus.publish(upTo(8, 6).map((n) => event(`${prefix}.a`, n)));
    const second = await other.consume(prefix, prefix, react);
    await until(() => seen.length === 8);
    await second.stop();
    expect(seen).toEqual(upTo(8));
  });

  it('goes on after its server was away: subscribers and consumers miss and repeat nothing', async () => {
    const subject = subjectOfOnesOwn();
    const quiet = subjectOfOnesOwn();
    await bus.publish([event(quiet, 0)]);
    const stream = await subscribe(subject, 'LIVE');
    const live = await subscribe(quiet, 'LIVE');
    const consumed: unknown[] = [];
    const consumption = await bus.consume(`after-${subject}`, subject.replace('.', '-'), async ({ payload }) => {
      consumed.push(payload['n']);
    });
    await bus.publish(upTo(3).map((n) => event(subject, n)));
    expect(numbers(await take(stream, 3))).toEqual([1, 2, 3]);
    await driver.interrupt();
    const publish = async (events: OutgoingEvent[]): Promise<void> =>
      bus.publish(events).catch(async () => {
        await delay(100);
        return publish(events);
      });
    await publish(upTo(6, 4).map((n) => event(subject, n)));
    await publish([event(quiet, 1), event(`${subject.replace('.', '-')}.x`, 7)]);
    expect(numbers(await take(stream, 3))).toEqual([4, 5, 6]);
    expect(numbers(await take(live, 1))).toEqual([1]);
    await until(() => consumed.length > 0, 20_000);
    expect(consumed).toEqual([7]);
    await consumption.stop();
    await expect(bus.ready()).resolves.toBeUndefined();
  });

  it('ends its streams, followers and consumers when it is closed, twice without harm', async () => {
    const own = await driver.open();
    const stream = await own.subscribe(subjectOfOnesOwn(), 'BEGINNING');
    const waiting = stream.next();
    let losses = 0;
    await own.follow(subjectOfOnesOwn(), {
      take: () => undefined,
      lost: () => {
        losses += 1;
      },
    });
    await own.consume(`closing${counter}`, 'closing', async () => undefined);
    await delay(20);
    await own.close();
    await own.close();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(losses).toBe(1);
    await expect(own.ready()).rejects.toThrow();
  });
}

describe('PostgresEventBus', () => {
  lawsOf(postgres);

  it('makes events visible in the order of their positions, whoever publishes', async () => {
    const driver = await postgres();
    const buses = await Promise.all(upTo(4).map(() => driver.open()));
    const subject = subjectOfOnesOwn();
    const stream = await buses[0]?.subscribe(subject, 'LIVE');
    if (!stream) throw new Error('no stream');
    // Ten at once on each bus, for as long as there are more: all at once, the last would wait too long for a connection.
    const lanes = upTo(40).map(async (lane) => {
      for (let n = lane; n <= 400; n += 40)
        await buses[n % 4]?.publish([{ id: `race-${n}`, subjects: [subject], payload: { n } }]);
    });
    await Promise.all(lanes);
    const seen = await take(stream, 400);
    expect(new Set(numbers(seen)).size).toBe(400);
    const positions = seen.map(({ position }) => Number(position));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    await Promise.all(buses.map((each) => each.close()));
  });

  it('finds what was published without a hint', async () => {
    const url = await busDatabase();
    const bus = await PostgresEventBus.open(url, silent);
    const stream = await bus.subscribe('payment.silent', 'LIVE');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`insert into bus_event (id, subject, payload) values ('s', 'payment.silent', '{"n": 1}')`);
    await client.end();
    expect(numbers(await take(stream, 1))).toEqual([1]);
    await bus.close();
  });

  it('writes once how far a consumer came with all that was there, also where one of it fails', async () => {
    const bus = await freshBus();
    await bus.publish(upTo(20).map((n) => event('payment.many', n)));
    const statements = Statements.watch();
    const seen: unknown[] = [];
    const consumption = await bus.consume('many', 'payment', async ({ payload }) => {
      seen.push(payload['n']);
      if (seen.length === 15) throw new Error('not yet');
    });
    await until(() => seen.length === 21);
    await consumption.stop();
    const moves = statements.of('bus').filter((sql) => sql.includes('insert into bus_consumer'));
    statements.stop();
    await bus.close();
    expect(seen).toEqual([...upTo(15), ...upTo(20, 15)]);
    expect(moves).toHaveLength(2);
  });

  it('goes on after a read that is never answered: streams, consumers and publishers', async () => {
    await using stack = new AsyncDisposableStack();
    const url = await busDatabase();
    const line = stack.use(await Line.to(url));
    const [bus, other] = [await PostgresEventBus.open(line.url, silent), await PostgresEventBus.open(url, silent)];
    for (const each of [bus, other]) stack.defer(() => each.close());
    const stream = await bus.subscribe('payment.dead', 'LIVE');
    const consumed: unknown[] = [];
    await bus.consume('dead', 'payment', async ({ payload }) => void consumed.push(payload['n']));
    await bus.publish([event('payment.dead', 1)]);
    expect(numbers(await take(stream, 1))).toEqual([1]);
    await until(() => consumed.length === 1);
    // All connections that it may have are there: whoever asks next asks on a dead one.
    await Promise.all(upTo(12).map(() => bus.ready()));
    line.goDead();
    await other.publish([event('payment.dead', 2)]);
    await expect(bus.publish([event('payment.dead', 3)])).rejects.toThrow(/time/);
    expect(numbers(await take(stream, 1))).toEqual([2]);
    await bus.publish([event('payment.dead', 4)]);
    expect(numbers(await take(stream, 1))).toEqual([4]);
    await until(() => consumed.length === 3, 20_000);
    expect(consumed).toEqual([1, 2, 4]);
  });

  it('drops what is older than it keeps, and still knows the positions it gave', async () => {
    const url = await busDatabase();
    const bus = await PostgresEventBus.open(url, silent);
    await bus.publish(upTo(1_100).map((n) => event('payment.old', n)));
    const all = await take(await bus.subscribe('payment.old', 'BEGINNING'), 1_100);
    await delay(5);
    await bus.prune(1);
    await bus.publish([event('payment.old', 1_101)]);
    expect(numbers(await take(await bus.subscribe('payment.old', 'BEGINNING'), 1))).toEqual([1_101]);
    const resumed = await bus.subscribe('payment.old', { after: all.at(-1)?.position ?? '' });
    expect(numbers(await take(resumed, 1))).toEqual([1_101]);
    await bus.prune();
    expect(numbers(await take(await bus.subscribe('payment.old', 'BEGINNING'), 1))).toEqual([1_101]);
    await bus.close();
  });

  it('tells a reader to resume when the past cannot be read, instead of leaving a gap', async () => {
    const driver = await postgres();
    const bus = await driver.open();
    await bus.publish(upTo(1_000).map((n) => event('payment.broken', n)));
    const stream = await bus.subscribe('payment.broken', 'BEGINNING');
    await take(stream, 500);
    await bus.close();
    // Closing ends the stream, but what it was reading goes on until the pool is gone.
    await expect(stream.next()).rejects.toMatchObject({ code: 'STREAM_INTERRUPTED' });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  it('can be opened by several processes at once on an empty server', async () => {
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? '');
    url.pathname = `/bus_${Date.now()}`;
    const buses = await Promise.all(upTo(5).map(() => openEventBus({ DATABASE_URL_BUS: url.href }, silent)));
    await Promise.all(buses.map((bus) => bus.publish([event('payment.once', 1)])));
    expect(numbers(await take(await (buses[0] as EventBus).subscribe('payment.once', 'BEGINNING'), 1))).toEqual([1]);
    await Promise.all(buses.map((bus) => bus.close()));
  });

  it('is opened beside whoever is publishing: neither waits for the other', async () => {
    const url = await busDatabase();
    const first = await PostgresEventBus.open(url, silent);
    const publisher = new pg.Client({ connectionString: url });
    await publisher.connect();
    await publisher.query(`begin; insert into bus_event (id, subject, payload) values ('open', 'payment.open', '{}')`);
    const second = await PostgresEventBus.open(url, silent);
    await publisher.query('commit');
    await publisher.end();
    await Promise.all([first.close(), second.close()]);
  });

  it('says so when the database cannot be reached', async () => {
    await expect(openEventBus({ DATABASE_URL_BUS: 'postgres://x@127.0.0.1:1/x' }, silent)).rejects.toThrow();
    expect(() => openEventBus({}, silent)).toThrow('DATABASE_URL_BUS');
  });
});

const natsSuite = natsBinary ? describe : describe.skip;
natsSuite(natsBinary ? 'NatsEventBus' : `NatsEventBus (skipped: ${natsMissing})`, () => {
  lawsOf(nats);

  it('is the bus where the environment names its server', async () => {
    const server = await NatsServer.start();
    const bus = await openEventBus({ NATS_URL: server.url, DATABASE_URL: 'postgres://unused/x' }, silent);
    expect(bus).toBeInstanceOf(NatsEventBus);
    await bus.close();
    await server.stop();
  });

  it('leaves out a message that is not of ours, instead of stopping there', async () => {
    const server = await NatsServer.start();
    const bus = await NatsEventBus.open(server.url, silent);
    const { connect } = await import('@nats-io/transport-node');
    const foreign = await connect({ servers: server.url });
    foreign.publish('sojourn.event.payment.foreign', 'no JSON');
    await foreign.flush();
    await foreign.close();
    await bus.publish([event('payment.foreign', 1)]);
    const seen: unknown[] = [];
    await bus.consume('foreign', 'payment', async ({ payload }) => void seen.push(payload['n']));
    expect(numbers(await take(await bus.subscribe('payment.foreign', 'BEGINNING'), 1))).toEqual([1]);
    await until(() => seen.length === 1);
    await bus.close();
    await server.stop();
  });
});
