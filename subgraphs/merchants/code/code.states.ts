import type { Transitions } from '../../kernel/states.js';

/** What is stored. REGISTERING: the network was asked, or is about to be, and did not give the payload yet. */
export type StoredCodeStatus = 'REGISTERING' | 'ACTIVE' | 'PAID' | 'CLOSED';

/** What clients see: an active code whose time is over is EXPIRED, with nobody having to write it down. */
export type CodeStatus = 'ACTIVE' | 'PAID' | 'CLOSED' | 'EXPIRED';

/** What the network says of an order. PAID: by whomever. CLOSED: cancelled, revoked, or gone. */
export type OrderState = 'OPEN' | 'PAID' | 'CLOSED';

export const codeTransitions: Transitions<StoredCodeStatus> = {
  REGISTERING: ['ACTIVE', 'CLOSED'],
  ACTIVE: ['PAID', 'CLOSED'],
  // A payment that the network accepted before the code was closed is heard of afterwards.
  CLOSED: ['PAID'],
  PAID: [],
};
