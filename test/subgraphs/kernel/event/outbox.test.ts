import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEntity, p } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { migrate, openDatabase, transaction } from '../../../../subgraphs/kernel/database.js';
import type { EventBus, OutgoingEvent } from '../../../../subgraphs/kernel/event/event-bus.js';
import { OutboxRelay, outboxTable, publish } from '../../../../subgraphs/kernel/event/outbox.js';
import { freshDatabase } from '../../../support/database.js';
import { freshBus } from '../../../support/database.migrated.js';
import { silent } from '../../../support/logger.js';

const Row = defineEntity({ name: 'Row', properties: { id: p.integer().primary() } });

class WithOutbox extends Migration {
  override up(): void {
    this.addSql(outboxTable);
  }
}

/** A bus that is told what goes wrong around it. */
class FaultyBus implements Pick<EventBus, 'publish'> {
  readonly published: string[] = [];
  before: (events: readonly OutgoingEvent[]) => void = () => undefined;
  after: () => Promise<void> = async () => undefined;

  constructor(private readonly bus: EventBus) {}

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    this.before(events);
    await this.bus.publish(events);
    this.published.push(...events.map(({ id }) => id));
    await this.after();
  }
}

let url: string;
let orm: MikroORM;
let bus: EventBus;

beforeAll(async () => {
  const open = (at: string) => openDatabase({ name: 'outbox', url: at, entities: [Row], migrations: [WithOutbox] });
  url = await freshDatabase('outbox', async (template) => {
    const prepared = await open(template);
    await migrate(prepared, template);
    await prepared.close();
  });
  orm = await open(url);
  bus = await freshBus();
});
afterAll(async () => {
  await orm.close();
  await bus.close();
});

const eventOf = (n: number, subject: string): OutgoingEvent => ({
  id: `${subject}-${n}`,
  subjects: [subject],
  payload: { n },
});

async function write(subject: string, numbers: readonly number[]): Promise<void> {
  await transaction(orm.em, async (em) => {
    for (const n of numbers) await publish(em, eventOf(n, subject));
  });
}

async function arrived(subject: string, count: number): Promise<unknown[]> {
  const stream = await bus.subscribe(subject, 'BEGINNING');
  const seen: unknown[] = [];
  while (seen.length < count) seen.push((await stream.next()).value?.payload['n']);
  await stream.return();
  return seen;
}

async function left(): Promise<number> {
  const rows = await orm.em.fork().execute<{ count: number }[]>('select count(*)::int as count from outbox');
  return rows[0]?.count ?? -1;
}

async function untilEmpty(): Promise<void> {
  for (let attempt = 0; attempt < 500 && (await left()) > 0; attempt += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await left()).toBe(0);
}

const relayOn = (target: Pick<EventBus, 'publish'>) => new OutboxRelay(url, target as EventBus, silent);
const upTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1);

describe('outbox', () => {
  it('sends an event if and only if its transaction commits', async () => {
    const relay = relayOn(bus);
    relay.start();
    await expect(
      transaction(orm.em, async (em) => {
        await publish(em, eventOf(1, 'payment.rolled-back'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await write('payment.committed', [1, 2, 3]);
    relay.wake();
    expect(await arrived('payment.committed', 3)).toEqual([1, 2, 3]);
    await untilEmpty();
    await bus.publish([eventOf(99, 'payment.rolled-back')]);
    expect(await arrived('payment.rolled-back', 1)).toEqual([99]);
    await relay.stop();
  });

  it('carries every subject and any payload unchanged', async () => {
    const relay = relayOn(bus);
    relay.start();
    const payload = { text: `a "quoted" \\ {brace}, ünïcode, it's`, list: [1, null, { deep: true }] };
    await transaction(orm.em, (em) =>
      publish(em, { id: 'evt-odd', subjects: ['merchant.odd', 'partner.odd'], payload }),
    );
    relay.wake();
    for (const subject of ['merchant.odd', 'partner.odd']) {
      const stream = await bus.subscribe(subject, 'BEGINNING');
      expect((await stream.next()).value).toMatchObject({ id: 'evt-odd', subject, payload });
      await stream.return();
    }
    await relay.stop();
  });

  it('loses and repeats nothing when the relay dies between publishing and deleting', async () => {
    const dying = new FaultyBus(bus);
    const relay = relayOn(dying);
    dying.after = async () => {
      // As the end of the process does it: the session is gone, and the rows stay.
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'outbox-relay' and datname = current_database()`,
      );
      await client.end();
      dying.after = async () => undefined;
    };
    await write('payment.crash', upTo(5));
    relay.start();
    await untilEmpty();
    expect(dying.published).toHaveLength(10);
    expect(await arrived('payment.crash', 5)).toEqual(upTo(5));
    await bus.publish([eventOf(6, 'payment.crash')]);
    expect(await arrived('payment.crash', 6)).toEqual(upTo(6));
    await relay.stop();
  });

  it('keeps events while the bus is away, and their order', async () => {
    const faulty = new FaultyBus(bus);
    let refusals = 2;
    faulty.before = () => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('the bus is away');
      }
    };
    const relay = relayOn(faulty);
    relay.start();
    await write('payment.away', upTo(20));
    relay.wake();
    expect(await arrived('payment.away', 20)).toEqual(upTo(20));
    expect(refusals).toBe(0);
    await relay.stop();
  });

  it('lets one relay work at a time, and another take over when it is gone', async () => {
    const [first, second] = [new FaultyBus(bus), new FaultyBus(bus)];
    const relays = [relayOn(first), relayOn(second)];
    for (const relay of relays) relay.start();
    for (const n of upTo(30)) {
      await write('payment.two', [n]);
      for (const relay of relays) relay.wake();
    }
    expect(await arrived('payment.two', 30)).toEqual(upTo(30));
    await untilEmpty();
    const workers = [first, second].filter(({ published }) => published.length > 0);
    expect(workers).toHaveLength(1);
    const [leader, follower] = workers[0] === first ? [relays[0], second] : [relays[1], first];
    await leader?.stop();
    await write('payment.two', [31]);
    expect(await arrived('payment.two', 31)).toEqual(upTo(31));
    // A reader may have the event before the relay has the bus's answer.
    await untilEmpty();
    expect(follower.published).toEqual(['payment.two-31']);
    for (const relay of relays) await relay.stop();
  });

  it('relays what was committed while none was running, more than a batch, in order', async () => {
    await write('payment.many', upTo(1_300));
    const relay = relayOn(bus);
    relay.start();
    expect(await arrived('payment.many', 1_300)).toEqual(upTo(1_300));
    await relay.stop();
  });

  it('stops at once, also while its database is away', async () => {
    const relay = new OutboxRelay('postgres://x@127.0.0.1:1/x', bus, silent);
    relay.start();
    relay.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const stoppedAt = Date.now();
    await relay.stop();
    expect(Date.now() - stoppedAt).toBeLessThan(1_000);
  });
});
