import { EventType } from '@mikro-orm/core';
import type { EntityManager, PostgreSqlConnection } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { retried } from './database.retry.js';
import { invariant } from './error.js';

/**
 * Statements that each are a transaction of their own, past the ORM. It writes values into the text, so that PostgreSQL
 * has to read and plan each one anew; here they go apart from it, and each connection prepares a text once.
 */

/** How each text is sent, and under which name it is prepared: the texts of this program are few, and stay. */
const prepared = new Map<string, { readonly name: string; readonly text: string }>();

/**
 * Runs a statement with the values of its question marks, and again (with jitter) when the database asks for it. Who
 * listens for commits of `em` hears of it.
 * @throws whatever the driver says; whether it took effect where the answer is lost, nobody knows
 */
export async function commitStatement<Row extends object>(
  em: EntityManager,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
): Promise<Row[]> {
  invariant(!em.isInTransaction(), 'a statement of its own is not part of a transaction');
  const rows = await retried(() => ask<Row>(em, text, values));
  await em.getEventManager().dispatchEvent(EventType.afterTransactionCommit, { em });
  return rows;
}

/** The same for one that publishes nothing; within a transaction of `em` it is part of that. */
export async function runStatement<Row extends object>(
  em: EntityManager,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return em.isInTransaction() ? em.execute<Row[]>(text, [...values]) : ask<Row>(em, text, values);
}

async function ask<Row extends object>(em: EntityManager, text: string, values: readonly unknown[]): Promise<Row[]> {
  const pool: pg.Pool = await (em.getConnection() as PostgreSqlConnection).getNativeClient();
  em.config.getLogger().logQuery({ query: text });
  const { rows } = await pool.query<Row>({ ...preparedOf(text), values: [...values] });
  return rows;
}

function preparedOf(text: string): { readonly name: string; readonly text: string } {
  let known = prepared.get(text);
  if (!known) {
    let place = 0;
    const numbered = text.replaceAll('?', () => {
      place += 1;
      return `$${place}`;
    });
    known = { name: `own_${prepared.size}`, text: numbered };
    prepared.set(text, known);
  }
  return known;
}
