import type { Transitions } from '../../kernel/states.js';

export const holdStatuses = ['PENDING', 'POSTED', 'VOIDED'] as const;
export type HoldStatus = (typeof holdStatuses)[number];

/** Each hold is resolved once (M3). */
export const holdTransitions: Transitions<HoldStatus> = {
  PENDING: ['POSTED', 'VOIDED'],
  POSTED: [],
  VOIDED: [],
};
