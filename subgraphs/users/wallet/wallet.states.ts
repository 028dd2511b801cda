import type { Transitions } from '../../kernel/states.js';

export type WalletStatus = 'ACTIVE' | 'SUSPENDED' | 'CLOSED';

export const walletTransitions: Transitions<WalletStatus> = {
  ACTIVE: ['SUSPENDED', 'CLOSED'],
  SUSPENDED: ['ACTIVE', 'CLOSED'],
  CLOSED: [],
};
