import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { runStatement } from './database.commit.js';
import { type Condition, from, type Sql } from './database.rows.js';
import { ConflictError, InvalidError, invariant } from './error.js';

export interface IdempotentRequest {
  /** Who asks and for what: keys of different askers or operations never meet. */
  readonly scope: string;
  /** The client's key: 8 to 128 printable characters. Kept forever. */
  readonly key: string;
  /** Everything that makes the request what it is; compared on a replay. */
  readonly content: Readonly<Record<string, string | null>>;
}

export class IdempotencyKeyReused extends ConflictError {
  constructor() {
    super('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another request. Use a new key.');
  }
}

/** The table that `once` needs; each subgraph with idempotent mutations has its own copy in its first migration. */
export const idempotencyTable = `
  create table idempotency_record (
    scope text not null,
    key text not null,
    request_hash text not null,
    result jsonb,
    created_at timestamptz not null default now(),
    primary key (scope, key)
  )`;

/**
 * Runs `work` once per scope and key: the key, what was asked and the result are written in the transaction of `em`,
 * with the effect itself. A replay returns the stored result and runs nothing; of two simultaneous requests one waits
 * for the other's commit.
 *
 * @param work returns the ids by which the effect is found again
 * @throws IdempotencyKeyReused when the key was used with other content; InvalidError for an unusable key
 */
export async function once<Result extends Readonly<Record<string, string>>>(
  em: EntityManager,
  request: IdempotentRequest,
  work: () => Promise<Result>,
): Promise<{ result: Result; replayed: boolean }> {
  const replayed = await take<Result>(em, request);
  if (replayed) return { result: replayed, replayed: true };
  const result = await work();
  await em.execute('update idempotency_record set result = ?::jsonb where scope = ? and key = ?', [
    JSON.stringify(result),
    request.scope,
    request.key,
  ]);
  return { result, replayed: false };
}

/**
 * The same as a piece of a statement, where the ids of the effect are known before it is there: takes the key for
 * `result`, which the rest of the statement makes true where this piece has returned a row. A request with the same key
 * waits for the commit of the statement, and then takes nothing: `findReplay` says what the first one was.
 * @throws InvalidError INVALID_IDEMPOTENCY_KEY
 */
export function keyClaim(
  request: IdempotentRequest,
  result: Readonly<Record<string, string>>,
  when: Condition = null,
): Sql {
  requireUsable(request.key);
  return {
    name: KEY_CLAIMED,
    text: `insert into idempotency_record (scope, key, request_hash, result) select ?, ?, ?, ?::jsonb${from(when)}
             on conflict do nothing returning key`,
    values: [request.scope, request.key, hashOf(request.content), JSON.stringify(result)],
  };
}

/** The name of that piece. */
export const KEY_CLAIMED = 'key_claimed';

/**
 * The stored result of an earlier request with the same key, or null: for use cases that ask others before their
 * transaction begins, so that a replay neither asks nor is refused for what has changed since.
 * @throws IdempotencyKeyReused, InvalidError INVALID_IDEMPOTENCY_KEY
 */
export async function findReplay<Result>(em: EntityManager, request: IdempotentRequest): Promise<Result | null> {
  const { text, values } = keySearch(request);
  const [record] = await runStatement<KeyRecord<Result>>(em, text, values);
  return replayOf(request, record ?? null);
}

/** What is stored of a key; nulls where an outer join has found nothing. */
export interface KeyRecord<Result> {
  readonly request_hash: string | null;
  readonly result: Result | null;
}

/** The same search as a part of another one, and what its row says. @throws InvalidError INVALID_IDEMPOTENCY_KEY */
export function keySearch(request: IdempotentRequest): Sql {
  requireUsable(request.key);
  return {
    text: 'select request_hash, result from idempotency_record where scope = ? and key = ?',
    values: [request.scope, request.key],
  };
}

/** @throws IdempotencyKeyReused */
export function replayOf<Result>(request: IdempotentRequest, record: KeyRecord<Result> | null): Result | null {
  if (!record || record.request_hash === null) return null;
  if (record.request_hash !== hashOf(request.content)) throw new IdempotencyKeyReused();
  return record.result;
}

/** @returns the result of whoever had the key before, else null */
async function take<Result>(em: EntityManager, request: IdempotentRequest): Promise<Result | null> {
  requireUsable(request.key);
  const hash = hashOf(request.content);
  const claimed = await em.execute<unknown[]>(
    `insert into idempotency_record (scope, key, request_hash) values (?, ?, ?)
       on conflict do nothing returning key`,
    [request.scope, request.key, hash],
  );
  return claimed.length === 0 ? replay<Result>(em, request, hash) : null;
}

async function replay<Result>(em: EntityManager, request: IdempotentRequest, hash: string): Promise<Result> {
  const [record] = await em.execute<{ request_hash: string; result: Result | null }[]>(
    'select request_hash, result from idempotency_record where scope = ? and key = ?',
    [request.scope, request.key],
  );
  if (record?.request_hash !== hash) throw new IdempotencyKeyReused();
  invariant(record.result !== null, 'a committed key has a result');
  return record.result;
}

/** @throws InvalidError INVALID_IDEMPOTENCY_KEY */
function requireUsable(key: string): void {
  if (!/^[\x21-\x7e]{8,128}$/.test(key))
    throw new InvalidError('INVALID_IDEMPOTENCY_KEY', 'An idempotency key has 8 to 128 printable characters.');
}

/** Independent of the order in which the content's fields were written. */
function hashOf(content: IdempotentRequest['content']): string {
  const sorted = Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
