import DataLoader from 'dataloader';
import { InvariantViolation } from './error.js';
import type { Page } from './page.js';

/** One row per key, in the order of the keys, null where there is none. */
export function oneByKey<Key extends string, Row>(
  fetch: (keys: readonly Key[]) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): DataLoader<Key, Row | null> {
  return new DataLoader(async (keys) => {
    const rows = new Map((await fetch(keys)).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key) ?? null);
  });
}

/** All rows of each key, in the order in which `fetch` returned them. */
export function manyByKey<Key extends string, Row>(
  fetch: (keys: readonly Key[]) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): DataLoader<Key, Row[]> {
  return new DataLoader(async (keys) => {
    const rows = Map.groupBy(await fetch(keys), keyOf);
    return keys.map((key) => rows.get(key) ?? []);
  });
}

/**
 * The pages of lists that have owners: one loader for each page that a request asks for, so that the same page of many
 * owners is one statement.
 */
export function pagesByKey<Key extends string, Row, Query>(
  fetch: (keys: readonly Key[], query: Query) => Promise<ReadonlyMap<Key, Page<Row>>>,
): (query: Query) => DataLoader<Key, Page<Row>> {
  const loaders = new Map<string, DataLoader<Key, Page<Row>>>();
  return (query) => {
    const name = JSON.stringify(query);
    const loader =
      loaders.get(name) ??
      new DataLoader<Key, Page<Row>>(async (keys) => {
        const pages = await fetch(keys, query);
        return keys.map((key) => pages.get(key) ?? new InvariantViolation('every owner has a page'));
      });
    loaders.set(name, loader);
    return loader;
  };
}
