import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from '../../kernel/database.commit.js';

/** Longer than a step takes at its worst; a killed process's work is taken up after that. */
const LEASE_SECONDS = 40;
const LEASED = `now() + interval '${LEASE_SECONDS} seconds'`;
/** Each process holds a session lock of this class by the number that it has in its leases: so it is known to live. */
export const OWNERS = 71_026_010;

/** Nobody works on the row: no lease, an old one, or one of a process that is gone (its session lock with it). */
const FREE = `case when lease_until is null or lease_until < now() then true else not exists (
  select 1 from pg_locks where locktype = 'advisory' and classid = ${OWNERS} and objid::bigint = lease_owner and granted
    and database = (select oid from pg_database where datname = current_database())) end`;
/** Who has lost its lease leaves that of its successor, by which a third one sees that the successor died. */
const WITHOUT_OURS = 'case when lease_owner = ? then null else lease_until end';

export interface Leasable {
  /** Its rows have `attempt`, `lease_until`, `lease_owner`, `next_attempt_at` and `unclear_since`. */
  readonly table: 'payment' | 'refund';
  /** Which rows are undecided, in SQL: as the partial index on them says it. */
  readonly undecided: string;
}

/** How a step without an answer is left until the next one. */
export interface Rest {
  readonly ms: number;
  readonly failed: boolean;
  readonly unclear: boolean;
}

/** The leases of one process on what it drives. */
export class Leases {
  constructor(
    private readonly em: EntityManager,
    private readonly of: Leasable,
    /** Names the process. */
    private readonly owner: number,
  ) {}

  /** What a new row holds that is written with a lease: columns and their contents in SQL. */
  get columns(): Readonly<Record<string, string>> {
    return { lease_owner: String(this.owner), lease_until: LEASED };
  }

  /** What is undecided, the oldest first, and whether somebody should work on it now. @param ids only of these */
  due(ids: readonly string[] | null, most: number): Promise<{ id: string; is_due: boolean }[]> {
    const { table, undecided } = this.of;
    const [where, argument] = ids ? ['id = any(?::text[])', `{${ids.join(',')}}`] : ['?::text is null', null];
    return this.em.fork().execute(
      `select id, ${FREE} and coalesce(next_attempt_at, '-infinity') < now() as is_due
         from ${table} where ${undecided} and ${where} order by created_at limit ?`,
      [argument, most],
    );
  }

  /**
   * Takes the lease. One that nobody gave back is a dead worker's, or one that lost it: either may have asked until now.
   * @returns how often it has failed since it last moved, or null when it is decided or somebody works on it
   */
  async claim(id: string, now: Date): Promise<number | null> {
    const { table, undecided } = this.of;
    const [row] = await this.run<{ attempt: number }>(
      `update ${table} set lease_until = ${LEASED}, lease_owner = ?, next_attempt_at = null,
              unclear_since = case when lease_until is null then unclear_since else ?::timestamptz end
        where id = ? and ${undecided} and (lease_owner = ? or ${FREE}) returning attempt`,
      // Our own lease without a driver is what a failing database left of one.
      [this.owner, now, id, this.owner],
    );
    return row?.attempt ?? null;
  }

  async renew(id: string): Promise<void> {
    await this.run(`update ${this.of.table} set lease_until = ${LEASED} where id = ?`, [id]);
  }

  async release(id: string): Promise<void> {
    await this.run(`update ${this.of.table} set lease_until = ${WITHOUT_OURS} where id = ?`, [this.owner, id]);
  }

  /** Gives it back until then. What is unclear stays so by `now`, when it was certainly sent; a clock set back is followed. */
  async rest(id: string, { ms, failed, unclear }: Rest, now: Date): Promise<void> {
    await this.run(
      `update ${this.of.table} set attempt = attempt + ?::int, lease_until = ${WITHOUT_OURS},
              next_attempt_at = now() + ?::float8 * interval '1 millisecond',
              unclear_since = case when ?::boolean or unclear_since > ?::timestamptz then ?::timestamptz else unclear_since end
        where id = ?`,
      [failed ? 1 : 0, this.owner, ms, unclear, now, now, id],
    );
  }

  private run<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return runStatement<Row>(this.em.fork(), text, values);
  }
}
