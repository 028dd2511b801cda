import type pg from 'pg';
import { type OutgoingEvent, requireSubject } from './event-bus.js';
import { CHANNEL, PUBLISH_LOCK } from './event-table.postgres.js';

/**
 * Writes events into the table of the bus. Publishers take turns by a lock, so that a position never becomes visible
 * after a later one; readers get one hint for a batch.
 */
export class PostgresPublisher {
  constructor(private readonly pool: pg.Pool) {}

  /** @returns whether there was anything to publish */
  async publish(events: readonly OutgoingEvent[]): Promise<boolean> {
    const rows = events.flatMap(({ id, subjects, payload }) =>
      subjects.map((subject) => ({ id, subject, payload: JSON.stringify(payload) })),
    );
    if (rows.length === 0) return false;
    for (const { subject } of rows) requireSubject(subject);
    const conflated = events.flatMap((event) => (event.latestOnly ? event.subjects : []));
    await this.pool.query({
      name: 'publish',
      text: PUBLISH,
      values: [rows.map((row) => row.id), rows.map((row) => row.subject), rows.map((row) => row.payload)],
    });
    if (conflated.length > 0) await this.dropOlder(conflated);
    return true;
  }

  private async dropOlder(subjects: readonly string[]): Promise<void> {
    await this.pool.query(
      `delete from bus_event old where subject = any($1)
          and position < (select max(position) from bus_event newer where newer.subject = old.subject)`,
      [subjects],
    );
  }
}

/**
 * One statement, and one round trip: the lock is had before the first position is drawn, and given back by the commit.
 * Whoever listens hears of it then.
 */
const PUBLISH = `
  with turn as materialized (select pg_advisory_xact_lock(${PUBLISH_LOCK})),
  written as (
    insert into bus_event (id, subject, payload)
      select id, subject, payload::jsonb from turn, unnest($1::text[], $2::text[], $3::text[])
        with ordinality as event (id, subject, payload, nth) order by nth
    on conflict (id, subject) do nothing)
  select pg_notify('${CHANNEL}', '')`;
