import { z } from 'zod';
import { after, HOUR } from '../../subgraphs/kernel/clock.js';

/** An RFC 3339 time with an offset, as they write it: `2018-06-08T10:34:56+08:00`. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** The time as their examples write it: whole seconds (cut, so that nothing lives longer than we said), Beijing's offset. */
export function toBeijing(time: Date): string {
  return `${after(time, 8 * HOUR)
    .toISOString()
    .slice(0, 19)}+08:00`;
}
