/** An object of an answer under construction: response names, as the plan's fetches gave them, and their values. */
export type Row = Record<string, unknown>;

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype));

/**
 * Reads one property of rows. Clients choose response names: `constructor` or `__proto__` of a row that lacks them must
 * not be what JavaScript gives every object.
 */
export function reader(name: string): (row: Row) => unknown {
  if (!INHERITED.has(name)) return (row) => row[name];
  return (row) => (Object.hasOwn(row, name) ? row[name] : undefined);
}

/** Writes one property of rows: as their own, also `__proto__`. */
export function write(row: Row, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });
  else row[name] = value;
}

/**
 * Adds what a fetch brought to a row, in place. Objects and lists that the row lacks are taken over, not copied: whoever
 * hands the same answer to several requests gives each its own (`isolated`).
 */
export function mergeInto(target: Row, source: Row): void {
  for (const name of Object.keys(source)) {
    const added = source[name];
    if (typeof added === 'object' && added !== null && Object.hasOwn(target, name))
      write(target, name, merged(target[name], added));
    else write(target, name, added);
  }
}

function merged(known: unknown, added: object): unknown {
  if (isRow(known) && isRow(added)) {
    // One row may stand in several places of an answer, so it can meet itself.
    if (known !== added) mergeInto(known, added);
    return known;
  }
  if (!Array.isArray(known) || !Array.isArray(added)) return added;
  const both = Math.min(known.length, added.length);
  for (let index = 0; index < both; index += 1) {
    const item: unknown = added[index];
    known[index] = typeof item === 'object' && item !== null ? merged(known[index], item) : item;
  }
  return known;
}

/** A copy whose objects and lists are nobody else's; the same row where it holds none. */
export function isolated(row: Row): Row {
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (typeof value === 'object' && value !== null) return copyOf(row);
  }
  return row;
}

/** A copy that shares no object or list with the original. */
export function copyOf<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf) as Value;
  if (!isRow(value)) return value;
  const copy: Row = {};
  for (const name of Object.keys(value)) write(copy, name, copyOf(value[name]));
  return copy as Value;
}
