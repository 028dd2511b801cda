import { ConflictError, InvalidError, UnavailableError } from '../../kernel/error.js';
import type { Network } from '../../kernel/graphql/enums.js';
import type { CodeStatus } from './code.states.js';

/**
 * Why a text is not a code that can be paid. MALFORMED: no payment code at all. TAMPERED: its checksum is wrong, or it
 * claims to be one of ours and differs. FOREIGN: of a network or market that we do not serve. UNKNOWN: of a network
 * that we serve, but neither we nor it know the code.
 */
export type InvalidCodeReason = 'MALFORMED' | 'TAMPERED' | 'FOREIGN' | 'UNKNOWN';

const MESSAGES: Record<InvalidCodeReason, string> = {
  MALFORMED: 'This is not a payment code.',
  TAMPERED: 'This code was altered or damaged. Do not pay it.',
  FOREIGN: 'This code belongs to a network that cannot be paid from here.',
  UNKNOWN: 'The network does not know this code.',
};

export class InvalidCode extends InvalidError {
  constructor(reason: InvalidCodeReason) {
    super('INVALID_CODE', MESSAGES[reason], { reason });
  }
}

export class CodeExpired extends ConflictError {
  constructor(reason: Exclude<CodeStatus, 'ACTIVE'>) {
    super('CODE_EXPIRED', 'This code can no longer be paid. Ask the merchant for a new one.', { reason });
  }
}

/** The network is known, but not in the country or currency of this merchant. */
export class MarketNotLive extends ConflictError {
  constructor(countryCode: string) {
    super('MARKET_NOT_LIVE', 'Merchants of this country cannot be paid yet.', { country: countryCode });
  }
}

/** Nothing was decided: the same request, with the same idempotency key, may succeed later. */
export class NetworkUnavailable extends UnavailableError {
  constructor(network: `${Network}`, cause: unknown) {
    super('NETWORK_UNAVAILABLE', 'The payment network does not answer. Try again.', { network });
    this.cause = cause;
  }
}

/** The network does not take this order, now or later. */
export class CodeRefused extends ConflictError {
  constructor(network: `${Network}`) {
    super('CODE_REFUSED', 'The network refused to register this code. Ask for a new one.', { network });
  }
}

export class InvalidReference extends InvalidError {
  constructor(most: number) {
    super('INVALID_REFERENCE', `A reference has 1 to ${most} printable characters.`, { most });
  }
}
