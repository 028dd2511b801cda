import type { EntityManager } from '@mikro-orm/postgresql';
import { sleep } from '../clock.js';
import { alsoFrom, arrayOf, type Condition, type Sql } from '../database.rows.js';
import { SessionConnection } from '../database.session.js';
import { faultPoint } from '../fault.js';
import type { Logger } from '../telemetry.js';
import type { EventBus, OutgoingEvent } from './event-bus.js';
import { WakeUp } from './wake-up.js';

/** The table that `publish` and the relay need; part of the first migration of each subgraph that has events. */
export const outboxTable = `
  create table outbox (
    position bigint generated always as identity primary key,
    id text not null unique,
    subjects text[] not null,
    payload jsonb not null,
    created_at timestamptz not null default now()
  )`;

/**
 * Writes an event into the transaction of `em`: it reaches the bus if and only if that commits. Prices and the like
 * (`latestOnly`) do not come this way: they go to the bus directly.
 */
export async function publish(em: EntityManager, event: OutboxEvent): Promise<void> {
  const { text, values } = publication([event]);
  await em.execute(text, [...values]);
}

export type OutboxEvent = Omit<OutgoingEvent, 'latestOnly'>;

/** The same, for events in their order, as a piece of a statement that also writes what happened. */
export function publication(events: readonly OutboxEvent[], when: Condition = null): Sql {
  return {
    text: `insert into outbox (id, subjects, payload)
             select id, subjects::text[], payload::jsonb
               from unnest(?::text[], ?::text[], ?::text[]) with ordinality as event (id, subjects, payload, nth)${alsoFrom(when)}
              order by nth`,
    values: [
      arrayOf(events.map(({ id }) => id)),
      arrayOf(events.map(({ subjects }) => arrayOf(subjects))),
      arrayOf(events.map(({ payload }) => JSON.stringify(payload))),
    ],
  };
}

const RELAY_LOCK = 71_026_003;
const BATCH = 500;
const POLL_MS = 250;
/** Between two batches. What is committed meanwhile goes as one: a batch costs the same, however few are in it. */
const PAUSE_MS = 20;

interface Row {
  position: string;
  id: string;
  subjects: string[];
  payload: Record<string, unknown>;
}

/**
 * Moves outbox rows to the bus, in order. One relay works at a time, by a session lock that a killed process gives
 * back; no transaction is open while the bus is spoken to. A crash in between sends a batch twice, and the bus drops
 * what it has.
 */
export class OutboxRelay {
  private stopped = false;
  private readonly wakeUp = new WakeUp();
  private loop: Promise<void> | null = null;
  private readonly connection: SessionConnection;
  private leading = false;

  constructor(
    url: string,
    private readonly bus: EventBus,
    private readonly logger: Logger,
  ) {
    this.connection = new SessionConnection(url, 'outbox-relay', logger, async () => {
      this.leading = false;
    });
  }

  start(): void {
    this.loop ??= this.run();
  }

  /** Tells the relay of this process that something was committed; others find it by polling. */
  wake(): void {
    this.wakeUp.call();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp.call();
    // Not the loop first: it waits for the connection while the database is away.
    await this.connection.stop(this.loop);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const moved = await this.relayBatch().catch((thrown: unknown) => {
        if (!this.stopped) this.logger.warn({ err: thrown }, 'could not relay events, trying again');
        return 0;
      });
      if (moved === BATCH || this.stopped) continue;
      if (moved > 0) await sleep(PAUSE_MS);
      await this.wakeUp.sleep(POLL_MS);
    }
  }

  private async relayBatch(): Promise<number> {
    const client = await this.connection.get();
    if (!this.leading) {
      const { rows } = await client.query<{ leading: boolean }>('select pg_try_advisory_lock($1) as leading', [
        RELAY_LOCK,
      ]);
      this.leading = rows[0]?.leading ?? false;
      if (!this.leading) return 0;
    }
    const { rows } = await client.query<Row>({
      name: 'read-outbox',
      text: `select position, id, subjects, payload from outbox order by position limit ${BATCH}`,
    });
    if (rows.length === 0) return 0;
    faultPoint('outbox.before-publish');
    await this.bus.publish(rows);
    faultPoint('outbox.after-publish');
    await client.query({
      name: 'empty-outbox',
      text: 'delete from outbox where position = any($1::bigint[])',
      values: [rows.map((row) => row.position)],
    });
    faultPoint('outbox.after-delete');
    return rows.length;
  }
}
