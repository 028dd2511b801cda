import type { Transitions } from '../../kernel/states.js';

export const acceptanceStatuses = ['PREPARED', 'SUBMITTED', 'ACCEPTED', 'REFUSED'] as const;
export type AcceptanceStatus = (typeof acceptanceStatuses)[number];

/** SUBMITTED means: the network may have been told. Only its own word leads out of it, never our patience. */
export const acceptanceTransitions: Transitions<AcceptanceStatus> = {
  PREPARED: ['SUBMITTED', 'REFUSED'],
  SUBMITTED: ['ACCEPTED', 'REFUSED'],
  ACCEPTED: [],
  REFUSED: [],
};
