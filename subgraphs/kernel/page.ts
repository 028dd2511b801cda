/** A page to read: keyset, newest first. `after` and `before` are sort keys, exclusive. */
export interface PageRequest {
  readonly limit: number;
  readonly after: string | null;
  readonly before: string | null;
  /** Read from the end of the list: the rows before `before` that are nearest to it. */
  readonly backward: boolean;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/**
 * Makes a page of rows that were read one more than the page holds, in reading order.
 * @param read `limit + 1` rows at most; reversed order when `request.backward`
 */
export function pageOf<Row>(request: PageRequest, read: readonly Row[]): Page<Row> {
  const more = read.length > request.limit;
  const rows = read.slice(0, request.limit);
  if (request.backward) return { rows: rows.reverse(), hasPreviousPage: more, hasNextPage: request.before !== null };
  return { rows, hasNextPage: more, hasPreviousPage: request.after !== null };
}
