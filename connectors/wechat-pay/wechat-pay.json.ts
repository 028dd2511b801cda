import { invariant } from '../../subgraphs/kernel/error.js';

/** JSON text written as it is; in Node since 21, not yet in TypeScript's library. */
const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };

/** What the other side, reading JSON numbers as doubles, can still tell from its neighbours. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * JSON in which a bigint is an integer, so that an amount never becomes a `number` on our side.
 * @throws InvariantViolation for an integer that a reader could not hold exactly
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'bigint') return part;
    invariant(part <= LARGEST && part >= -LARGEST, 'an integer that JSON cannot hold exactly');
    return rawJSON(String(part));
  });
}
