import type { EntityClass, EntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { commitStatement } from './database.commit.js';
import { invariant } from './error.js';

/**
 * Entities without the ORM's unit of work, for the few transactions whose cost is their round trips: the rows of
 * several tables are read by one statement and written by one. What is read here is not watched: whoever changes it
 * also writes it.
 */

/** A piece of SQL with the values of its question marks. */
export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
  /** By which pieces after it may refer to what it returns. */
  readonly name?: string;
}

/** The name of a piece before it: something is written only where that has returned a row. Null: in any case. */
export type Condition = string | null;

/** What the columns of an entity hold, by property. */
export type Snapshot = Readonly<Record<string, unknown>>;

/** The columns of an entity for a select list, named so that `entityIn` finds them again beside those of others. */
export function columnsOf(em: EntityManager, entity: EntityClass<object>, alias: string): string {
  return [...tableOf(em, entity).columns.values()]
    .map((column) => `${alias}.${column} as "${alias}.${column}"`)
    .join(', ');
}

/** The entity that a row holds under that alias. */
export function entityIn<Entity extends object>(
  em: EntityManager,
  entity: EntityClass<Entity>,
  alias: string,
  row: Readonly<Record<string, unknown>>,
): Entity {
  const own: Record<string, unknown> = {};
  for (const column of tableOf(em, entity).columns.values()) own[column] = row[`${alias}.${column}`];
  const data = em.getDriver().mapResult(own as EntityData<Entity>, em.getMetadata(entity));
  invariant(data !== null, `the row has no ${alias}`);
  // Without `merge`, the entity manager does not know of it, and looks for no changes in it at the end.
  return em.getEntityFactory().create<Entity>(entity, data, { convertCustomTypes: true });
}

export function snapshotOf(em: EntityManager, entity: object): Snapshot {
  return em.getComparator().prepareEntity(entity);
}

/** Writes a new entity. @param besides what columns hold that the entity does not know, in SQL */
export function insertion(
  em: EntityManager,
  entity: object,
  when: Condition = null,
  besides: Readonly<Record<string, string>> = {},
): Sql {
  const { name, column } = tableOf(em, classOf(entity));
  const values = snapshotOf(em, entity);
  const properties = Object.keys(values);
  const columns = [...properties.map(column), ...Object.keys(besides)];
  const contents = [...properties.map(() => '?'), ...Object.values(besides)];
  return {
    text: `insert into ${name} (${columns.join(', ')}) select ${contents.join(', ')}${from(when)}`,
    values: Object.values(values),
  };
}

/**
 * Writes what has changed of an entity since `before`; null when nothing has.
 * @param besides what else is set then, in SQL: columns that the entity does not know
 */
export function changesOf(
  em: EntityManager,
  entity: object,
  before: Snapshot,
  besides: string | null,
  when: Condition = null,
): Sql | null {
  const { name, key, column } = tableOf(em, classOf(entity));
  const now = snapshotOf(em, entity);
  const changed = Object.keys(em.getComparator().diffEntities(classOf(entity), before, now));
  if (changed.length === 0) return null;
  const settings = [...changed.map((property) => `${column(property)} = ?`), ...(besides ? [besides] : [])];
  return {
    text: `update ${name} set ${settings.join(', ')}${from(when)} where ${name}.${column(key)} = ?`,
    values: [...changed.map((property) => now[property]), now[key]],
  };
}

/**
 * Pieces, at least one, as one statement. Each sees the database as it was before all of them; foreign keys are checked after them.
 * @param answer what is selected in the end, which may refer to named pieces
 */
export function together(pieces: readonly (Sql | null)[], answer = 'select 1'): Sql {
  const real = pieces.filter((piece) => piece !== null);
  const parts = real.map(({ name, text }, index) => `${name ?? `piece_${index}`} as (${text})`);
  return { text: `with ${parts.join(', ')} ${answer}`, values: real.flatMap(({ values }) => values) };
}

/** Writes different rows by one statement, within the transaction of `em`. */
export async function executeTogether(em: EntityManager, pieces: readonly (Sql | null)[]): Promise<void> {
  if (pieces.every((piece) => piece === null)) return;
  const { text, values } = together(pieces);
  await em.execute(text, values);
}

/** The same by a statement that is a transaction of its own: one round trip for all of it. */
export async function commitTogether<Row extends object>(
  em: EntityManager,
  pieces: readonly (Sql | null)[],
  answer?: string,
): Promise<Row[]> {
  return commitStatement<Row>(em, together(pieces, answer));
}

/** Ends a piece that selects or updates, under its condition. */
export function from(when: Condition): string {
  return when ? ` from ${when}` : '';
}

/** The same where it selects from something else as well. */
export function alsoFrom(when: Condition): string {
  return when ? `, ${when}` : '';
}

/** A PostgreSQL array literal. */
export function arrayOf(values: readonly (string | bigint)[]): string {
  return `{${values.map((value) => (typeof value === 'bigint' ? value : JSON.stringify(value))).join(',')}}`;
}

interface Table {
  readonly name: string;
  /** The property that is its key. */
  readonly key: string;
  /** By property. */
  readonly columns: ReadonlyMap<string, string>;
  column(property: string): string;
}

/** By what the ORM knows of the entity, which stays the same. */
const tables = new WeakMap<object, Table>();

function tableOf(em: EntityManager, entity: EntityClass<object>): Table {
  const metadata = em.getMetadata(entity);
  const known = tables.get(metadata);
  if (known) return known;
  const { tableName, primaryKeys, props } = metadata;
  const [key, ...more] = primaryKeys as string[];
  invariant(key !== undefined && more.length === 0, `${tableName} has one key`);
  const columns = new Map<string, string>(
    props.flatMap(({ name, fieldNames: [column] }) => (column ? [[name, column]] : [])),
  );
  const table: Table = {
    name: tableName,
    key,
    columns,
    column: (property) => {
      const column = columns.get(property);
      invariant(column !== undefined, `${tableName} has no ${property}`);
      return column;
    },
  };
  tables.set(metadata, table);
  return table;
}

function classOf(entity: object): EntityClass<object> {
  return entity.constructor as EntityClass<object>;
}
