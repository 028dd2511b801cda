import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
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
}

/** What the columns of an entity hold, by property. */
export type Snapshot = Readonly<Record<string, unknown>>;

type Row = Readonly<Record<string, unknown>>;

/** The columns of an entity for a select list, named so that `entityIn` finds them again beside those of others. */
export function columnsOf(em: EntityManager, entity: EntityClass<object>, alias: string): string {
  return em
    .getMetadata(entity)
    .props.flatMap(({ fieldNames }) => fieldNames)
    .map((column) => `${alias}.${column} as "${alias}.${column}"`)
    .join(', ');
}

/** The entity that a row holds under that alias. */
export function entityIn<Entity extends object>(
  em: EntityManager,
  entity: EntityClass<Entity>,
  alias: string,
  row: Row,
): Entity {
  const { props } = em.getMetadata(entity);
  const columns = props.flatMap(({ fieldNames }) => fieldNames);
  const own = Object.fromEntries(columns.map((column) => [column, row[`${alias}.${column}`]]));
  // In an entity manager that is thrown away: that of the transaction would look for changes at its end.
  return em.fork().map(entity, own as Parameters<EntityManager['map']>[1]) as Entity;
}

export function snapshotOf(em: EntityManager, entity: object): Snapshot {
  return em.getComparator().prepareEntity(entity);
}

/** Writes a new entity. */
export function insertion(em: EntityManager, entity: object): Sql {
  const { table, column } = tableOf(em, entity);
  const values = snapshotOf(em, entity);
  const properties = Object.keys(values);
  return {
    text: `insert into ${table} (${properties.map(column).join(', ')}) values (${properties.map(() => '?').join(', ')})`,
    values: Object.values(values),
  };
}

/**
 * Writes what has changed of an entity since `before`; null when nothing has.
 * @param besides what else is set then, in SQL: columns that the entity does not know
 */
export function changesOf(em: EntityManager, entity: object, before: Snapshot, besides: string | null): Sql | null {
  const { table, key, column } = tableOf(em, entity);
  const now = snapshotOf(em, entity);
  const changed = Object.keys(em.getComparator().diffEntities(entity.constructor as EntityClass<object>, before, now));
  if (changed.length === 0) return null;
  const settings = [...changed.map((property) => `${column(property)} = ?`), ...(besides ? [besides] : [])];
  return {
    text: `update ${table} set ${settings.join(', ')} where ${column(key)} = ?`,
    values: [...changed.map((property) => now[property]), now[key]],
  };
}

/**
 * Writes rows of different tables as one statement. Each piece sees the database as it was before all of them; foreign
 * keys are checked after them.
 */
export async function executeTogether(em: EntityManager, pieces: readonly (Sql | null)[]): Promise<void> {
  const real = pieces.filter((piece) => piece !== null);
  if (real.length === 0) return;
  const parts = real.map(({ text }, index) => `piece_${index} as (${text})`);
  await em.execute(
    `with ${parts.join(', ')} select 1`,
    real.flatMap(({ values }) => values),
  );
}

function tableOf(
  em: EntityManager,
  entity: object,
): { table: string; key: string; column: (property: string) => string } {
  const { tableName, primaryKeys, props } = em.getMetadata(entity.constructor as EntityClass<object>);
  const columns = new Map<string, string | undefined>(props.map(({ name, fieldNames }) => [name, fieldNames[0]]));
  const [key] = primaryKeys as string[];
  invariant(key !== undefined && primaryKeys.length === 1, `${tableName} has one key`);
  return {
    table: tableName,
    key,
    column: (property) => {
      const column = columns.get(property);
      invariant(column !== undefined, `${tableName} has no ${property}`);
      return column;
    },
  };
}
