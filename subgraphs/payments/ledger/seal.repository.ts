import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * The chain of seals over the postings: each seal is the hash of the one before it and of all that a run of postings
 * says, account codes included. Who changes, removes or slips in a posting breaks the seal of its run; who mends that
 * seal breaks the next one.
 */

/** A seal as it was written. */
export interface Seal {
  readonly sequence: bigint;
  readonly fromId: bigint;
  readonly toId: bigint;
  readonly postings: number;
  /** Hexadecimal. */
  readonly hash: string;
}

/** Where a chain is broken: the first seal that is not what its postings, or its place, say. */
export interface BrokenSeal {
  readonly sequence: bigint;
  readonly fromId: bigint;
  readonly toId: bigint;
  readonly sealedPostings: number;
  readonly foundPostings: number;
  /** GAP: a seal before it is missing. POSTINGS: what it sealed was changed, removed or added to. */
  readonly broken: 'GAP' | 'POSTINGS';
}

// Any constant serves: each database has its own locks.
const SEAL_LOCK = 71_026_020;
const MOST_POSTINGS = 1_000;
const ORIGIN = '\\x';

/** A posting as text that no other posting has: JSON keeps apart what lies in neighbouring columns. */
const LINE = `json_build_array(posting.id, posting.payment_id, posting.refund_id, posting.hold_id, posting.leg, debit.code, credit.code,
  posting.amount_minor, posting.currency, extract(epoch from posting.posted_at))::text`;

/** What a seal of `given` (sequence, previous, from_id, to_id) must say, for whoever makes one and whoever verifies it. */
const LINK = `cross join lateral (
    select count(*)::integer as posting_count, sha256(given.previous || convert_to(
             json_build_array(given.sequence, given.from_id, given.to_id)::text || coalesce(string_agg(line, E'\\n' order by id), ''), 'UTF8')) as hash
      from (select posting.id, ${LINE} as line from posting
              join account debit on debit.id = posting.debit_account_id join account credit on credit.id = posting.credit_account_id
             where posting.id between given.from_id and given.to_id) as sealed) as link
  cross join lateral (
    select coalesce(jsonb_object_agg(currency, total), '{}') as sums
      from (select currency, sum(amount_minor)::text as total from posting
             where id between given.from_id and given.to_id group by currency) as summed) as total`;

/** The highest id that any posting has drawn so far; those that drew it need not have committed. */
export async function highestPostingId(em: EntityManager): Promise<bigint> {
  const [row] = await em.execute<{ highest: string | null }[]>(
    `select pg_sequence_last_value(pg_get_serial_sequence('posting', 'id')::regclass) as highest`,
  );
  return BigInt(row?.highest ?? 0);
}

/**
 * The transactions that write postings at this moment. Each has this lock before it draws an id, and gives it back after
 * its commit can be seen: once those are gone that were there after `highestPostingId` was read, every id up to
 * it is either to be seen or will never be. Nobody waits for us meanwhile.
 */
export async function writersOfPostings(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ writer: string }[]>(
    `select distinct virtualtransaction as writer from pg_locks
      where locktype = 'relation' and relation = 'posting'::regclass and mode = 'RowExclusiveLock' and granted
        and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.map(({ writer }) => writer);
}

/**
 * Seals the next run of postings up to `upTo`, which must be decided. Call it in a transaction.
 * @returns null when there is none, or another process is at it
 */
export async function sealNext(em: EntityManager, upTo: bigint, now: Date): Promise<Seal | null> {
  const [lock] = await em.execute<{ mine: boolean }[]>('select pg_try_advisory_xact_lock(?) as mine', [SEAL_LOCK]);
  if (!lock?.mine) return null;
  const rows = await em.execute<SealRow[]>(
    `with last as (
       select sequence, to_id, hash from posting_seal union all select 0, 0, ?::bytea order by sequence desc limit 1),
     run as (
       select max(id) as to_id from (
         select id from posting where id > (select to_id from last) and id <= ?::bigint order by id limit ${MOST_POSTINGS}) as next),
     given as (
       select last.sequence + 1 as sequence, last.hash as previous, last.to_id + 1 as from_id, run.to_id
         from last, run where run.to_id is not null)
     insert into posting_seal (sequence, from_id, to_id, posting_count, sums, hash, sealed_at)
       select given.sequence, from_id, to_id, posting_count, sums, link.hash, ? from given ${LINK}
     returning ${columnsOf('posting_seal')}`,
    [ORIGIN, String(upTo), now],
  );
  return rows[0] ? sealOf(rows[0]) : null;
}

/** A page of the chain, verified: how many seals were read, and the first that is broken. */
export interface VerifiedPage {
  readonly last: Seal | null;
  readonly postings: number;
  readonly broken: BrokenSeal | null;
}

/** Recomputes the seals that follow `after` (the first ones for null) from the postings as they are. */
export async function verifySeals(em: EntityManager, after: Seal | null, most: number): Promise<VerifiedPage> {
  const sequence = String(after?.sequence ?? 0n);
  const rows = await em.execute<(SealRow & { found: number; is_next: boolean; holds: boolean })[]>(
    `with given as (
       select *, lag(hash, 1, ?::bytea) over chain as previous, lag(sequence, 1, ?::bigint) over chain + 1 as next_sequence,
              lag(to_id, 1, ?::bigint) over chain + 1 as next_from
         from (select * from posting_seal where sequence > ?::bigint order by sequence limit ?) as page
       window chain as (order by sequence))
     select ${columnsOf('given')}, link.posting_count as found, sequence = next_sequence and from_id = next_from as is_next,
            given.hash = link.hash and given.posting_count = link.posting_count and given.sums = total.sums as holds
       from given ${LINK} order by sequence`,
    [after ? `\\x${after.hash}` : ORIGIN, sequence, String(after?.toId ?? 0n), sequence, most],
  );
  const last = rows.at(-1);
  const wrong = rows.find((row) => !row.is_next || !row.holds);
  return {
    last: last ? sealOf(last) : null,
    postings: rows.reduce((sum, { posting_count }) => sum + posting_count, 0),
    broken: wrong ? brokenOf(wrong) : null,
  };
}

/** How far the chain has come; the age is null before the first seal. */
export interface SealFigures {
  readonly seals: number;
  readonly lastSealedAt: Date | null;
  /** When the oldest posting was made that no seal covers yet. */
  readonly unsealedSince: Date | null;
  readonly unsealedPostings: number;
}

export async function readSealFigures(em: EntityManager): Promise<SealFigures> {
  const [row] = await em.execute<{ seals: string; sealed: string | null; since: string | null; unsealed: number }[]>(
    `with last as (select sequence, to_id, sealed_at from posting_seal order by sequence desc limit 1)
     select coalesce((select sequence from last), 0) as seals, (select sealed_at from last) as sealed,
            min(posted_at) as since, count(*)::integer as unsealed
       from posting where id > coalesce((select to_id from last), 0)`,
  );
  return {
    seals: Number(row?.seals ?? 0),
    lastSealedAt: row?.sealed ? new Date(row.sealed) : null,
    unsealedSince: row?.since ? new Date(row.since) : null,
    unsealedPostings: row?.unsealed ?? 0,
  };
}

interface SealRow {
  readonly sequence: string;
  readonly from_id: string;
  readonly to_id: string;
  readonly posting_count: number;
  readonly hash_text: string;
}

function columnsOf(seal: string): string {
  return `${seal}.sequence, ${seal}.from_id, ${seal}.to_id, ${seal}.posting_count, encode(${seal}.hash, 'hex') as hash_text`;
}

function sealOf(row: SealRow): Seal {
  return {
    sequence: BigInt(row.sequence),
    fromId: BigInt(row.from_id),
    toId: BigInt(row.to_id),
    postings: row.posting_count,
    hash: row.hash_text,
  };
}

function brokenOf(row: SealRow & { found: number; is_next: boolean }): BrokenSeal {
  const { sequence, fromId, toId, postings } = sealOf(row);
  const broken = row.is_next ? 'POSTINGS' : 'GAP';
  return { sequence, fromId, toId, sealedPostings: postings, foundPostings: row.found, broken };
}
