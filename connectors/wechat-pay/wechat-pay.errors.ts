/**
 * What a refusal asks of the caller.
 * RETRY: not done, nothing decided; send the same request with the same number later.
 * ALREADY_DONE: what was asked for, or its opposite, is already so; read the thing and go by what it says.
 * PAYER_MUST_ACT: not done; the payer has to finish or start again.
 * FINAL: a definite no; this request had no effect and never will.
 * OUR_BUG: we asked for nonsense. Says nothing about earlier requests with the same number: a person must look.
 */
export type WechatPayAction = 'RETRY' | 'ALREADY_DONE' | 'PAYER_MUST_ACT' | 'FINAL' | 'OUR_BUG';

/** A definite, verified answer of WeChat Pay that is not a yes. `code` is theirs, one spelling for each (see `canonicalCode`). */
export class WechatPayRefusal extends Error {
  override readonly name = 'WechatPayRefusal';

  constructor(
    readonly code: string,
    readonly action: WechatPayAction,
    /** Their `Request-ID`: what their support asks for. */
    readonly debugId?: string,
  ) {
    super(`WeChat Pay refused: ${code}`);
  }
}

/** Timeout, broken connection, 5xx, garbage or an answer that cannot be verified: the effect may or may not have happened. */
export class WechatPayUnknown extends Error {
  override readonly name = 'WechatPayUnknown';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** What is wrong with a bill. */
export type BillFault =
  | 'ENCODING'
  | 'LINE_LENGTH'
  | 'HEADER'
  | 'COLUMNS'
  | 'VALUE'
  | 'MERCHANT'
  | 'DAY'
  | 'SUMMARY'
  | 'TOTALS'
  | 'TRUNCATED'
  | 'HASH';

/** A bill that contradicts its own form, its own totals or its hash: none of its rows may be believed. */
export class WechatPayBillDamaged extends Error {
  override readonly name = 'WechatPayBillDamaged';

  constructor(
    readonly fault: BillFault,
    /** From 1; 0 where the file as a whole is meant. */
    readonly line: number,
    /** The heading of the column. Never its value: bills hold payers' ids. */
    readonly column?: string,
  ) {
    super(`the bill is damaged: ${fault} in line ${line}${column ? ` (${column})` : ''}`);
  }
}

/** The same error under the names that different products, versions and guides give it. A map: codes come from outside. */
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ORDER_PAID: 'ORDERPAID',
    ORDERNOTEXIST: 'ORDER_NOT_EXIST',
    ORDERCLOSED: 'ORDER_CLOSED',
    RESOURCE_NOT_EXIST: 'RESOURCE_NOT_EXISTS',
    RATELIMIT_EXCEED: 'RATE_LIMITED',
    RATELIMIT_EXCEEDED: 'RATE_LIMITED',
    FREQUENCY_LIMIT_EXCEED: 'FREQUENCY_LIMITED',
    NOTENOUGH: 'NOT_ENOUGH',
    SYSTEMERROR: 'SYSTEM_ERROR',
    BANKERROR: 'BANK_ERROR',
  }),
);

const ACTIONS: ReadonlyMap<string, WechatPayAction> = new Map(
  Object.entries<WechatPayAction>({
    PARAM_ERROR: 'OUR_BUG',
    INVALID_REQUEST: 'OUR_BUG',
    SIGN_ERROR: 'OUR_BUG',
    NO_AUTH: 'OUR_BUG',
    MCH_NOT_EXISTS: 'OUR_BUG',
    APPID_MCHID_NOT_MATCH: 'OUR_BUG',
    OUT_TRADE_NO_USED: 'OUR_BUG',
    RATE_LIMITED: 'RETRY',
    // Also what a close answers while the payer types a password: in progress, so query and ask again.
    FREQUENCY_LIMITED: 'RETRY',
    // The pool that pays refunds is empty: it fills within a day or two, and the same number must be used again.
    NOT_ENOUGH: 'RETRY',
    // The bill of that day is being written: it is there from ten in the morning, Beijing time.
    STATEMENT_CREATING: 'RETRY',
    ORDERPAID: 'ALREADY_DONE',
    USERPAYING: 'PAYER_MUST_ACT',
    AUTH_CODE_INVALID: 'PAYER_MUST_ACT',
    AUTH_CODE_EXPIRED: 'PAYER_MUST_ACT',
    ORDER_NOT_EXIST: 'FINAL',
    RESOURCE_NOT_EXISTS: 'FINAL',
    ORDER_CLOSED: 'FINAL',
    USER_ACCOUNT_ABNORMAL: 'FINAL',
    TRADE_ERROR: 'FINAL',
    RULE_LIMIT: 'FINAL',
    // Nothing was paid or given back that day.
    NO_STATEMENT_EXIST: 'FINAL',
    // The wallet side's own codes (README: no public specification).
    CODE_INVALID: 'FINAL',
    CODE_EXPIRED: 'FINAL',
    // Paid by another payment: ALREADY_DONE would let a caller take someone else's money movement for its own.
    ORDER_ALREADY_PAID: 'FINAL',
    ORDER_BEING_PAID: 'FINAL',
    AMOUNT_MISMATCH: 'FINAL',
    PAYMENT_EXPIRED: 'FINAL',
    PAYMENT_NOT_EXIST: 'FINAL',
    PAYMENT_REQUEST_ID_USED: 'OUR_BUG',
  }),
);

/** Codes that decide nothing although they come as an answer. */
const UNDECIDED: ReadonlySet<string> = new Set(['SYSTEM_ERROR', 'BANK_ERROR', 'ACCEPTED']);

/** One spelling for a code of theirs. */
export function canonicalCode(code: string): string {
  return ALIASES.get(code) ?? code;
}

/**
 * What to do about a code; null when it leaves the outcome open. A code we do not know is OUR_BUG: to take it for a no
 * could release money that was taken, to take it for a yes could give money away.
 */
export function actionOf(code: string): WechatPayAction | null {
  const canonical = canonicalCode(code);
  return UNDECIDED.has(canonical) ? null : (ACTIONS.get(canonical) ?? 'OUR_BUG');
}
