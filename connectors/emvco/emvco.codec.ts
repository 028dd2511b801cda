import { crcOf } from './emvco.crc.js';
import { EmvcoError, malformed } from './emvco.errors.js';
import { buildFields, type EmvcoFields, parseFields } from './emvco.fields.js';

/** What a merchant-presented code of EMVCo says. It is a claim of whoever printed it: ask the network before paying. */
export interface EmvcoCode {
  /** STATIC: shown to many payers. DYNAMIC: made for one payment. Null where the code does not say. */
  readonly initiation: 'STATIC' | 'DYNAMIC' | null;
  /** Ids 02–25: accounts at the card schemes, as they stand. */
  readonly primitiveAccounts: EmvcoFields;
  /** Ids 26–51: one template per network; sub-id 00 is the network's globally unique id. */
  readonly accounts: ReadonlyMap<string, EmvcoFields>;
  /** ISO 18245, four digits. */
  readonly categoryCode: string;
  /** ISO 4217 numeric, three digits: `156` is CNY. */
  readonly currencyNumeric: string;
  /** A decimal in major units such as `10.00`; null when the payer types the amount. */
  readonly amount: string | null;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
  readonly merchantName: string;
  readonly city: string;
  readonly postalCode: string | null;
  /** Field 62: 01 bill, 03 store, 05 reference, 07 terminal, 08 purpose … */
  readonly additional: EmvcoFields;
  /** Field 64: the name, and perhaps the city, in the merchant's own language. */
  readonly localized: { readonly language: string; readonly name: string; readonly city: string | null } | null;
  /** Everything else (tips, reserved and unreserved templates), kept as it stands. */
  readonly others: EmvcoFields;
}

const CRC_FIELD = '6304';
const CRC_LENGTH = 4;
const NAME_LENGTH = 25;
const CITY_LENGTH = 15;
const SINGLE = new Set(['00', '01', '52', '53', '54', '58', '59', '60', '61', '62', '63', '64']);

const FORMS: Readonly<Record<string, RegExp>> = {
  '00': /^01$/,
  '01': /^1[12]$/,
  '52': /^\d{4}$/,
  '53': /^\d{3}$/,
  '54': /^(?=.{1,13}$)\d+(?:\.\d+)?$/,
  '58': /^[A-Z]{2}$/,
  '59': /^.{1,25}$/su,
  '60': /^.{1,15}$/su,
  '61': /^.{1,10}$/su,
};

/** Whether a scanned text claims to be such a code; everything else (`weixin://…`, `wxp://…`) is some network's own. */
export function looksLikeEmvco(text: string): boolean {
  return text.startsWith('000201');
}

/**
 * Reads a merchant-presented code.
 * @throws EmvcoError MALFORMED when the structure or a field breaks the rules, BAD_CRC when only the checksum is wrong
 */
export function parseEmvco(payload: string): EmvcoCode {
  if (!payload.isWellFormed()) malformed('the text is not Unicode');
  // Neither alphabet of the scheme has them, and databases refuse some.
  if (/\p{Cc}/u.test(payload)) malformed('there is a control character');
  if (!looksLikeEmvco(payload)) malformed('the payload format indicator must come first');
  const fields = parseFields(payload);
  if (Array.from(fields.keys()).at(-1) !== '63' || fields.get('63')?.length !== CRC_LENGTH)
    malformed('the checksum must come last');
  // The structure is checked first: a text that is no code at all is MALFORMED, not a code with a bad checksum.
  checkForms(fields);
  const code = codeOf(fields);
  checkCrc(payload);
  return code;
}

/**
 * Writes a merchant-presented code, fields in ascending order, checksum last. Names and cities are for display and are
 * cut at the scheme's length (25 and 15 characters); anything else that does not fit is an error.
 * @throws EmvcoError MALFORMED
 */
export function buildEmvco(code: EmvcoCode): string {
  const fields = new Map<string, string>([['00', '01']]);
  const put = (id: string, value: string | null) => value !== null && fields.set(id, value);
  put('01', code.initiation && (code.initiation === 'STATIC' ? '11' : '12'));
  for (const [id, value] of code.primitiveAccounts) put(id, value);
  for (const [id, template] of code.accounts) put(id, buildFields(template));
  put('52', code.categoryCode);
  put('53', code.currencyNumeric);
  put('54', code.amount);
  put('58', code.countryCode);
  put('59', cut(code.merchantName, NAME_LENGTH));
  put('60', cut(code.city, CITY_LENGTH));
  put('61', code.postalCode);
  put('62', code.additional.size > 0 ? buildFields(code.additional) : null);
  put('64', code.localized && buildFields(localizedFields(code.localized)));
  for (const [id, value] of code.others) put(id, value);
  checkForms(fields);
  const text = `${buildFields(new Map(Array.from(fields).sort(byId)))}${CRC_FIELD}`;
  return `${text}${crcOf(text)}`;
}

/** The account template of the network whose globally unique id (sub-id 00) this is, compared without regard to case. */
export function findAccount(code: EmvcoCode, globallyUniqueId: string): EmvcoFields | null {
  const wanted = globallyUniqueId.toLowerCase();
  for (const template of code.accounts.values()) if (template.get('00')?.toLowerCase() === wanted) return template;
  return null;
}

function codeOf(fields: EmvcoFields): EmvcoCode {
  const primitiveAccounts = between(fields, 2, 25);
  const accounts = new Map(Array.from(between(fields, 26, 51), ([id, value]) => [id, templateOf(id, value)]));
  if (primitiveAccounts.size + accounts.size === 0) malformed('there is no merchant account');
  const additional = fields.get('62');
  const localized = fields.get('64');
  return {
    initiation: initiationOf(fields.get('01')),
    primitiveAccounts,
    accounts,
    categoryCode: required(fields, '52'),
    currencyNumeric: required(fields, '53'),
    amount: fields.get('54') ?? null,
    countryCode: required(fields, '58'),
    merchantName: required(fields, '59'),
    city: required(fields, '60'),
    postalCode: fields.get('61') ?? null,
    additional: additional === undefined ? new Map() : parseFields(additional),
    localized: localized === undefined ? null : localizedOf(parseFields(localized)),
    others: new Map(Array.from(fields).filter(([id]) => !SINGLE.has(id) && Number(id) > 51)),
  };
}

function checkCrc(payload: string): void {
  const covered = payload.slice(0, -CRC_LENGTH);
  if (crcOf(covered) !== payload.slice(-CRC_LENGTH).toUpperCase())
    throw new EmvcoError('BAD_CRC', 'the checksum is wrong');
}

function checkForms(fields: EmvcoFields): void {
  for (const [id, form] of Object.entries(FORMS)) {
    const value = fields.get(id);
    if (value !== undefined && !form.test(value)) malformed(`field ${id} has the wrong form`);
  }
}

function templateOf(id: string, value: string): EmvcoFields {
  const template = parseFields(value);
  if (!template.has('00')) malformed(`template ${id} does not name its network`);
  return template;
}

function initiationOf(value: string | undefined): EmvcoCode['initiation'] {
  if (value === undefined) return null;
  return value === '11' ? 'STATIC' : 'DYNAMIC';
}

function localizedOf(fields: EmvcoFields): EmvcoCode['localized'] {
  return { language: required(fields, '00'), name: required(fields, '01'), city: fields.get('02') ?? null };
}

function localizedFields(localized: NonNullable<EmvcoCode['localized']>): EmvcoFields {
  const fields = new Map([
    ['00', localized.language],
    ['01', cut(localized.name, NAME_LENGTH)],
  ]);
  if (localized.city !== null) fields.set('02', cut(localized.city, CITY_LENGTH));
  return fields;
}

function required(fields: EmvcoFields, id: string): string {
  return fields.get(id) ?? malformed(`field ${id} is missing`);
}

function between(fields: EmvcoFields, first: number, last: number): EmvcoFields {
  return new Map(Array.from(fields).filter(([id]) => Number(id) >= first && Number(id) <= last));
}

function cut(text: string, length: number): string {
  return Array.from(text).slice(0, length).join('');
}

function byId([left]: [string, string], [right]: [string, string]): number {
  return Number(left) - Number(right);
}
