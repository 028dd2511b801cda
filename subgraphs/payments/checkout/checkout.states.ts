import type { Transitions } from '../../kernel/states.js';

export const checkoutStatuses = ['OPEN', 'CONFIRMED', 'EXPIRED', 'CANCELLED'] as const;
export type CheckoutStatus = (typeof checkoutStatuses)[number];

export const checkoutTransitions: Transitions<CheckoutStatus> = {
  OPEN: ['CONFIRMED', 'EXPIRED', 'CANCELLED'],
  CONFIRMED: [],
  EXPIRED: [],
  CANCELLED: [],
};
