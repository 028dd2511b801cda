import type { Transitions } from '../../kernel/states.js';

export const paymentStatuses = ['PROCESSING', 'PAID', 'COMPLETED', 'DECLINED', 'FAILED', 'IN_REVIEW'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/** PAID never becomes FAILED: the merchant has the money (M7). */
export const paymentTransitions: Transitions<PaymentStatus> = {
  PROCESSING: ['PAID', 'DECLINED', 'FAILED', 'IN_REVIEW'],
  PAID: ['COMPLETED', 'IN_REVIEW'],
  IN_REVIEW: ['PAID', 'COMPLETED', 'FAILED'],
  COMPLETED: [],
  DECLINED: [],
  FAILED: [],
};
