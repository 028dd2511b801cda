import type pg from 'pg';
import type { Logger } from '../telemetry.js';
import type { BusEvent, Consumption } from './event-bus.js';
import { EVENT_COLUMNS, type EventRow } from './event-table.postgres.js';
import { WakeUp } from './wake-up.js';

const BATCH = 50;
const POLL_MS = 1_000;

/** Reads the bus's table for one named consumer, from where its row in `bus_consumer` says; from the start without one. */
export class PostgresConsumption implements Consumption {
  private stopped = false;
  private readonly wakeUp = new WakeUp();
  private readonly loop: Promise<void>;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
    private readonly name: string,
    private readonly prefix: string,
    private readonly react: (event: BusEvent) => Promise<void>,
    private readonly onStop: (stopped: PostgresConsumption) => void,
  ) {
    this.loop = this.run();
  }

  wake(): void {
    this.wakeUp.call();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.onStop(this);
    this.wakeUp.call();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const moved = await this.reactToBatch().catch((thrown: unknown) => {
        this.logger.error({ err: thrown, consumer: this.name }, 'could not react to an event, trying again');
        return false;
      });
      if (!moved && !this.stopped) await this.wakeUp.sleep(POLL_MS);
    }
  }

  private async reactToBatch(): Promise<boolean> {
    const { rows } = await this.pool.query<EventRow>(
      `select ${EVENT_COLUMNS} from bus_event event
        where event.position > coalesce((select position from bus_consumer where name = $1), 0) and subject like $2
        order by event.position limit ${BATCH}`,
      [this.name, `${this.prefix.replace(/[\\%_]/g, '\\$&')}.%`],
    );
    let last: EventRow | null = null;
    try {
      for (const row of rows) {
        if (this.stopped) return false;
        await this.react(row);
        last = row;
      }
    } finally {
      // Once for all that was reacted to: a commit for each event would cost more than most reactions. What a kill
      // leaves unwritten is reacted to again, and reactions are idempotent.
      if (last) await this.moveTo(last.position);
    }
    return rows.length > 0;
  }

  /** Two processes with the same name may overlap; the position only moves on. */
  private async moveTo(position: string): Promise<void> {
    await this.pool.query({
      name: 'move-consumer',
      text: `insert into bus_consumer as consumer (name, position) values ($1, $2)
         on conflict (name) do update set position = excluded.position where consumer.position < excluded.position`,
      values: [this.name, position],
    });
  }
}
