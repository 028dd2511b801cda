import { randomInt } from 'node:crypto';
import type { Change, ResourceKind } from './books.js';

export interface Resource {
  readonly kind: ResourceKind;
  readonly id: string;
}

/** Something the world is told by notification. */
export interface Happening {
  /** Such as `PAYMENT.CAPTURE.COMPLETED`. */
  readonly type: string;
  readonly resource: Resource;
  readonly scenario: string | null;
}

/** What an operation does, all of it or nothing. */
export interface Effect {
  readonly changes: readonly Change[];
  /** What the caller is shown. */
  readonly resource: Resource;
  readonly happenings: readonly Happening[];
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** An id as PayPal writes them: 17 capitals and digits. */
export function drawId(): string {
  return Array.from({ length: 17 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
