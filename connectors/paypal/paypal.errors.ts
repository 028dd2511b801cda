/**
 * What a definite answer of PayPal's asks of us.
 * RETRY: nothing is decided, send the same request with the same key later. ALREADY_DONE: read the resource and adopt
 * it. PAYER_MUST_ACT: the wallet cannot pay as it stands. FINAL: never for this request. OUR_BUG: alert a person.
 */
export type PaypalAction = 'RETRY' | 'ALREADY_DONE' | 'PAYER_MUST_ACT' | 'FINAL' | 'OUR_BUG';

/** PayPal answered, and the answer is no (or, with RETRY, not now). */
export class PaypalRefusal extends Error {
  override readonly name = 'PaypalRefusal';

  constructor(
    /** PayPal's issue, such as `INSTRUMENT_DECLINED`; its error name where there is no issue. */
    readonly code: string,
    readonly action: PaypalAction,
    /** PayPal's own reference of the call, for their support. */
    readonly debugId?: string,
  ) {
    super(`PayPal refused: ${code}${debugId ? ` (debug id ${debugId})` : ''}`);
  }
}

/**
 * Nobody knows whether the effect happened: the deadline passed, the connection broke, or the answer proves nothing.
 * The way out is the same request with the same key, or reading the resource; never a new key.
 */
export class PaypalUnknown extends Error {
  override readonly name = 'PaypalUnknown';
  readonly action = 'RETRY';

  constructor(
    cause: unknown,
    readonly debugId?: string,
  ) {
    super(`PayPal's answer is unknown: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Why a notification is not believed. */
export type NotificationFault =
  | 'HEADER_MISSING'
  | 'ALGORITHM_UNKNOWN'
  | 'TIME_OUT_OF_WINDOW'
  | 'CERTIFICATE_HOST_FOREIGN'
  | 'CERTIFICATE_UNAVAILABLE'
  | 'CERTIFICATE_UNUSABLE'
  | 'SIGNATURE_WRONG'
  | 'BODY_MALFORMED';

/** A notification that cannot be trusted. Nothing of its content may be used. */
export class PaypalNotificationRefused extends Error {
  override readonly name = 'PaypalNotificationRefused';

  constructor(
    readonly fault: NotificationFault,
    cause?: unknown,
  ) {
    super(`PayPal notification refused: ${fault}`, { cause });
  }

  /** The certificate could not be fetched just now: the sender should try again. */
  get transient(): boolean {
    return this.fault === 'CERTIFICATE_UNAVAILABLE';
  }
}

const ISSUES: Readonly<Record<Exclude<PaypalAction, 'FINAL'>, readonly string[]>> = {
  RETRY: ['PREVIOUS_REQUEST_IN_PROGRESS', 'ORDER_COMPLETION_IN_PROGRESS', 'RATE_LIMIT_REACHED'],
  ALREADY_DONE: [
    'ORDER_ALREADY_AUTHORIZED',
    'ORDER_ALREADY_CAPTURED',
    'ORDER_ALREADY_COMPLETED',
    'ORDER_COMPLETED_OR_VOIDED',
    'AUTHORIZATION_ALREADY_CAPTURED',
    'PREVIOUSLY_CAPTURED',
    'PREVIOUSLY_VOIDED',
    'CAPTURE_FULLY_REFUNDED',
    'DUPLICATE_INVOICE_ID',
  ],
  PAYER_MUST_ACT: [
    'ORDER_NOT_APPROVED',
    'PAYER_ACTION_REQUIRED',
    'INSTRUMENT_DECLINED',
    'REDIRECT_PAYER_FOR_ALTERNATE_FUNDING',
    // The vaulted wallet is gone or unlinked: the payer links it again.
    'PAYMENT_SOURCE_CANNOT_BE_USED',
    'PAYMENT_SOURCE_INFO_CANNOT_BE_VERIFIED',
    'TOKEN_ID_NOT_FOUND',
    'TOKEN_EXPIRED',
    'AGREEMENT_ALREADY_CANCELLED',
    'BILLING_AGREEMENT_NOT_FOUND',
  ],
  OUR_BUG: [
    'CANNOT_BE_NEGATIVE',
    'CANNOT_BE_ZERO_OR_NEGATIVE',
    'CURRENCY_MISMATCH',
    'DECIMAL_PRECISION',
    'DECIMALS_NOT_SUPPORTED',
    'DUPLICATE_REQUEST_ID',
    'INVALID_CURRENCY_CODE',
    'INVALID_PARAMETER_SYNTAX',
    'MALFORMED_REQUEST_JSON',
    'PAYPAL_REQUEST_ID_REQUIRED',
    'REFUND_CAPTURE_CURRENCY_MISMATCH',
    'UNSUPPORTED_INTENT',
  ],
};

const ACTION_OF_ISSUE: ReadonlyMap<string, PaypalAction> = new Map(
  Object.entries(ISSUES).flatMap(([action, issues]) => issues.map((issue) => [issue, action as PaypalAction] as const)),
);

/**
 * What to do after an answer of 400 to 499. The issue decides; the status only where the issue is not in the table:
 * PayPal adds issues, and refuses for good with 404 and 422 but complains about the form of the request with others.
 */
export function actionOf(status: number, issue: string): PaypalAction {
  const known = ACTION_OF_ISSUE.get(issue);
  if (known) return known;
  // 401: the credentials were refused, not the request. An earlier attempt of it may even have had its effect.
  if (status === 401 || status === 408 || status === 409 || status === 429) return 'RETRY';
  return status === 404 || status === 422 ? 'FINAL' : 'OUR_BUG';
}
