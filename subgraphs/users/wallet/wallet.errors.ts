import { ConflictError } from '../../kernel/error.js';
import type { WalletStatus } from './wallet.states.js';

export type UnusableReason = Exclude<WalletStatus, 'ACTIVE'> | 'PROVIDER_NOT_IN_MARKET';

export class WalletNotUsable extends ConflictError {
  constructor(reason: UnusableReason) {
    super('WALLET_NOT_USABLE', 'This wallet cannot pay. Choose another one.', { reason });
  }
}

/** A closed wallet is not opened again: link it anew. */
export class WalletClosed extends ConflictError {
  constructor() {
    super('WALLET_CLOSED', 'This wallet is closed. Link it again to use it.');
  }
}
