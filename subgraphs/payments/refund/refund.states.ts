import type { Transitions } from '../../kernel/states.js';

export const refundStatuses = ['PROCESSING', 'COMPLETED', 'FAILED'] as const;
export type RefundStatus = (typeof refundStatuses)[number];

export const refundTransitions: Transitions<RefundStatus> = {
  PROCESSING: ['COMPLETED', 'FAILED'],
  COMPLETED: [],
  FAILED: [],
};

/**
 * How far the money has come on its way back: from the merchant, then to the payer. OWED: the merchant gave it and the
 * wallet refuses to take it; a person has to bring it to the payer.
 */
export const refundLegStatuses = ['REQUESTED', 'TAKEN', 'OWED', 'GIVEN', 'REFUSED'] as const;
export type RefundLegStatus = (typeof refundLegStatuses)[number];

export const refundLegTransitions: Transitions<RefundLegStatus> = {
  REQUESTED: ['TAKEN', 'REFUSED'],
  TAKEN: ['GIVEN', 'OWED'],
  OWED: ['GIVEN'],
  GIVEN: [],
  REFUSED: [],
};
