import { malformed } from './emvco.errors.js';

/** Two-digit id → value, in the order of the text. */
export type EmvcoFields = ReadonlyMap<string, string>;

const DIGITS = /^\d{2}$/;
const LONGEST = 99;

/**
 * Reads a row of id, length, value. Lengths count characters (Unicode code points), so a Chinese name of four
 * characters has length 04 whatever its bytes.
 * @throws EmvcoError MALFORMED, also for an id that stands twice: two readers could take two different values for it
 */
export function parseFields(text: string): EmvcoFields {
  const characters = Array.from(text);
  const fields = new Map<string, string>();
  for (let at = 0; at < characters.length; ) {
    const id = characters.slice(at, at + 2).join('');
    const digits = characters.slice(at + 2, at + 4).join('');
    if (!DIGITS.test(id) || !DIGITS.test(digits))
      malformed('a field starts with a two-digit id and a two-digit length');
    const end = at + 4 + Number(digits);
    if (digits === '00' || end > characters.length) malformed(`field ${id} is empty or cut off`);
    if (fields.has(id)) malformed(`field ${id} stands twice`);
    fields.set(id, characters.slice(at + 4, end).join(''));
    at = end;
  }
  return fields;
}

/** The row of id, length, value of `fields`, in their order. @throws EmvcoError MALFORMED for what does not fit a field */
export function buildFields(fields: EmvcoFields): string {
  return Array.from(fields, ([id, value]) => {
    const length = Array.from(value).length;
    if (!DIGITS.test(id)) malformed('an id is two digits');
    if (length < 1 || length > LONGEST || !value.isWellFormed()) malformed(`field ${id} must hold 1 to 99 characters`);
    return `${id}${String(length).padStart(2, '0')}${value}`;
  }).join('');
}
