/** An answer of 4xx or 5xx, in PayPal's form. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** PayPal's `name`. */
    override readonly name: string,
    readonly details: readonly RefusalDetail[] = [],
  ) {
    super(MESSAGES[name] ?? 'The request was refused.');
  }

  /** @param field JSON pointer to what is wrong in the body */
  static of(issue: string, field?: string): Refusal {
    const [status, description] = ISSUES[issue] ?? [422, 'The requested action could not be performed.'];
    const detail = { issue, description, ...(field && { field, location: 'body' as const }) };
    return new Refusal(status, NAMES[status] ?? 'UNPROCESSABLE_ENTITY', [detail]);
  }

  toBody(debugId: string): object {
    const details = this.details.length > 0 ? { details: this.details } : {};
    return { name: this.name, message: this.message, debug_id: debugId, ...details, links: [] };
  }
}

export interface RefusalDetail {
  readonly issue: string;
  readonly description: string;
  readonly field?: string;
  readonly location?: 'body' | 'path' | 'query';
}

export function unauthenticated(): Refusal {
  return new Refusal(401, 'AUTHENTICATION_FAILURE');
}

export function internalError(): Refusal {
  return new Refusal(500, 'INTERNAL_SERVER_ERROR');
}

/**
 * What the header `PayPal-Mock-Response` asks for: an issue, or the name of an error that has none.
 * @throws Refusal when the header is not what PayPal documents
 */
export function mockedRefusal(header: string): Refusal {
  const code = /^\s*\{\s*"mock_application_codes"\s*:\s*"([A-Z0-9_]{1,100})"\s*\}\s*$/.exec(header)?.[1];
  if (!code) throw Refusal.of('INVALID_PARAMETER_SYNTAX');
  const status = Object.entries(NAMES).find(([, name]) => name === code)?.[0];
  return status ? new Refusal(Number(status), code) : Refusal.of(code);
}

const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  401: 'AUTHENTICATION_FAILURE',
  403: 'NOT_AUTHORIZED',
  404: 'RESOURCE_NOT_FOUND',
  405: 'METHOD_NOT_SUPPORTED',
  409: 'RESOURCE_CONFLICT',
  413: 'REQUEST_ENTITY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'UNPROCESSABLE_ENTITY',
  429: 'RATE_LIMIT_REACHED',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
};

const MESSAGES: Readonly<Record<string, string>> = {
  INVALID_REQUEST: 'Request is not well-formed, syntactically incorrect, or violates schema.',
  AUTHENTICATION_FAILURE:
    'Authentication failed due to missing authorization header, or invalid authentication credentials.',
  NOT_AUTHORIZED: 'Authorization failed due to insufficient permissions.',
  RESOURCE_NOT_FOUND: 'The specified resource does not exist.',
  RESOURCE_CONFLICT: 'The server has detected a conflict while processing this request.',
  UNSUPPORTED_MEDIA_TYPE: 'The server does not support the request payload media type.',
  UNPROCESSABLE_ENTITY:
    'The requested action could not be performed, semantically incorrect, or failed business validation.',
  RATE_LIMIT_REACHED: 'Too many requests. Blocked due to rate limiting.',
  INTERNAL_SERVER_ERROR: 'An internal server error occurred.',
  SERVICE_UNAVAILABLE: 'Service Unavailable.',
};

/** Status and description of the issues that this PayPal knows to raise; it takes others for refusals of business (422). */
const ISSUES: Readonly<Record<string, readonly [status: number, description: string]>> = {
  INVALID_ARRAY_MAX_ITEMS: [400, 'The number of items in an array parameter is too large.'],
  INVALID_ARRAY_MIN_ITEMS: [400, 'The number of items in an array parameter is too small.'],
  INVALID_PARAMETER_SYNTAX: [400, 'The value of a field does not conform to the expected format.'],
  INVALID_PARAMETER_VALUE: [400, 'The value of a field is invalid.'],
  INVALID_STRING_LENGTH: [400, 'The value of a field is either too short or too long.'],
  MALFORMED_REQUEST_JSON: [400, 'The request JSON is not well formed.'],
  MISSING_REQUIRED_PARAMETER: [400, 'A required field or parameter is missing.'],
  NOT_SUPPORTED: [400, 'This field is not currently supported.'],
  PAYPAL_REQUEST_ID_REQUIRED: [
    400,
    'A PayPal-Request-Id is required if you are trying to process payment for an Order.',
  ],
  PERMISSION_DENIED: [403, 'You do not have permission to access or perform operations on this resource.'],
  INVALID_RESOURCE_ID: [404, 'Specified resource ID does not exist. Please check the resource ID and try again.'],
  PREVIOUS_REQUEST_IN_PROGRESS: [409, 'A previous request on this resource is currently in progress.'],
  ORDER_COMPLETION_IN_PROGRESS: [422, 'Order completion is in progress.'],
  AUTHORIZATION_ALREADY_CAPTURED: [422, 'Authorization has already been captured.'],
  AUTHORIZATION_DENIED: [422, 'A denied authorization cannot be captured.'],
  AUTHORIZATION_EXPIRED: [422, 'The authorization is expired.'],
  AUTHORIZATION_VOIDED: [422, 'A voided authorization cannot be captured or reauthorized.'],
  AUTH_CAPTURE_CURRENCY_MISMATCH: [422, 'Currency of capture must be the same as currency of authorization.'],
  CANNOT_BE_ZERO_OR_NEGATIVE: [422, 'Must be greater than zero.'],
  CAPTURE_FULLY_REFUNDED: [422, 'The capture has already been fully refunded.'],
  DECIMALS_NOT_SUPPORTED: [422, 'Currency does not support decimals.'],
  DECIMAL_PRECISION: [422, 'The value of the field should not be more than two decimal places.'],
  DUPLICATE_INVOICE_ID: [422, 'Duplicate Invoice ID detected.'],
  DUPLICATE_REQUEST_ID: [422, 'The value of PayPal-Request-Id header has already been used for another request.'],
  INSTRUMENT_DECLINED: [
    422,
    'The instrument presented was either declined by the processor or bank, or it can’t be used for this payment.',
  ],
  INVALID_CURRENCY_CODE: [422, 'Currency code is invalid or is not currently supported.'],
  MAX_CAPTURE_AMOUNT_EXCEEDED: [422, 'Capture amount exceeds allowable limit.'],
  MAX_CAPTURE_COUNT_EXCEEDED: [422, 'Maximum number of allowable captures has been reached.'],
  MAX_VALUE_EXCEEDED: [422, 'Should be less than or equal to 9999999.99.'],
  ORDER_ALREADY_AUTHORIZED: [422, 'Order already authorized. Only one authorization per order is allowed.'],
  ORDER_EXPIRED: [422, 'Order is expired and hence cannot be authorized.'],
  ORDER_NOT_APPROVED: [422, 'Payer has not yet approved the Order for payment.'],
  PENDING_REVIEW: [422, 'The authorization is pending review.'],
  PREVIOUSLY_CAPTURED: [422, 'Authorization has been previously captured and hence cannot be voided.'],
  PREVIOUSLY_VOIDED: [422, 'Authorization has been previously voided and hence cannot be voided again.'],
  REFUND_AMOUNT_EXCEEDED: [
    422,
    'The refund amount must be less than or equal to the capture amount that has not yet been refunded.',
  ],
  REFUND_CAPTURE_CURRENCY_MISMATCH: [422, 'Refund must be in the same currency as the capture.'],
  REFUND_TIME_LIMIT_EXCEEDED: [422, 'You are over the time limit to perform a refund on this capture.'],
  TOKEN_ID_NOT_FOUND: [422, 'Specified token was not found. Verify the token and try the request again.'],
  UNSUPPORTED_INTENT: [422, 'This intent is not supported.'],
};
