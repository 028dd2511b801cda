import { ConflictError } from '../../kernel/error.js';
import type { Network } from '../../kernel/graphql/enums.js';

export class NotOnNetwork extends ConflictError {
  constructor(network: `${Network}`) {
    super('MERCHANT_NOT_ON_NETWORK', 'This merchant has no account at the network.', { network });
  }
}

/** The number belongs to another merchant, or the merchant has another number there. */
export class NetworkAccountTaken extends ConflictError {
  constructor(network: `${Network}`) {
    super('NETWORK_ACCOUNT_TAKEN', 'This account at the network is not free.', { network });
  }
}
