import { UUID, uuidv7obj } from 'uuidv7';
import { InvalidError } from './error.js';

/**
 * An id says what it is and where it lives: `<kind>_<region>_<base32 of a UUIDv7>`, so that a request can be routed
 * without a look-up. Clients treat it as opaque.
 */
export type IdKind =
  | 'trv' // Traveler
  | 'wal' // Wallet
  | 'ptr' // Partner
  | 'opr' // Operator
  | 'mem' // a merchant's member of staff
  | 'mer' // Merchant
  | 'cod' // payment code
  | 'quo' // Quote
  | 'chk' // Checkout
  | 'pay' // Payment
  | 'evt' // PaymentEvent
  | 'ref' // Refund
  | 'brk' // a break that reconciliation found
  | 'res'; // what operators decide of a payment in review

export type Id<Kind extends IdKind> = `${Kind}_${string}`;
export type TravelerId = Id<'trv'>;
export type WalletId = Id<'wal'>;
export type PartnerId = Id<'ptr'>;
export type OperatorId = Id<'opr'>;
export type MemberId = Id<'mem'>;
export type MerchantId = Id<'mer'>;
export type CodeId = Id<'cod'>;
export type QuoteId = Id<'quo'>;
export type CheckoutId = Id<'chk'>;
export type PaymentId = Id<'pay'>;
export type PaymentEventId = Id<'evt'>;
export type RefundId = Id<'ref'>;
export type BreakId = Id<'brk'>;
export type ResolutionId = Id<'res'>;

/** A region code: where the record lives. `us` holds travelers, `cn` holds merchants. */
export type Region = string;

// Crockford's alphabet, lower case: no i, l, o, u; sorts like the number it stands for.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID = /^([a-z]{3})_([a-z]{2})_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** A new id, later than every id this process made before (UUIDv7: its first 48 bits are the time). */
export function newId<Kind extends IdKind>(kind: Kind, region: Region): Id<Kind> {
  return idOf(kind, region, uuidv7obj());
}

/** The id that stands for a given UUID: for records whose identity is derived, not drawn. */
export function idOf<Kind extends IdKind>(kind: Kind, region: Region, uuid: UUID): Id<Kind> {
  let rest = BigInt(`0x${uuid.toHex()}`);
  let text = '';
  for (let digit = 0; digit < 26; digit += 1) {
    text = ALPHABET[Number(rest % 32n)] + text;
    rest /= 32n;
  }
  return `${kind}_${region}_${text}`;
}

/** @throws InvalidError INVALID_ID when `id` is malformed or of another kind */
export function parseId<Kind extends IdKind>(kind: Kind, id: string): Id<Kind> {
  if (ID.exec(id)?.[1] !== kind) throw new InvalidError('INVALID_ID', `This is not the id of a ${NAMES[kind]}.`);
  return id as Id<Kind>;
}

/** Matches every id of a kind, and nothing else. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${kind}_[a-z]{2}_[0-7][0-9a-hjkmnp-tv-z]{25}$`);
}

/** The region that an id of ours names. */
export function regionOf(id: Id<IdKind>): Region {
  return id.slice(4, 6);
}

const NAMES: Record<IdKind, string> = {
  trv: 'traveler',
  wal: 'wallet',
  ptr: 'partner',
  opr: 'operator',
  mem: 'member',
  mer: 'merchant',
  cod: 'code',
  quo: 'quote',
  chk: 'checkout',
  pay: 'payment',
  evt: 'payment event',
  ref: 'refund',
  brk: 'break',
  res: 'resolution',
};
