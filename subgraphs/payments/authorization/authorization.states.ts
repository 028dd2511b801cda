import type { Transitions } from '../../kernel/states.js';

export const authorizationStatuses = ['REQUESTED', 'HELD', 'CAPTURED', 'VOIDED', 'DECLINED'] as const;
export type AuthorizationStatus = (typeof authorizationStatuses)[number];

export const authorizationTransitions: Transitions<AuthorizationStatus> = {
  REQUESTED: ['HELD', 'DECLINED'],
  HELD: ['CAPTURED', 'VOIDED'],
  CAPTURED: [],
  VOIDED: [],
  DECLINED: [],
};
