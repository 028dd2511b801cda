import DataLoader from 'dataloader';

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
