import { ConflictError } from '../../kernel/error.js';
import type { Network } from '../../kernel/graphql/enums.js';

export class NotOnNetwork extends ConflictError {
  constructor(network: `${Network}`) {
    super('MERCHANT_NOT_ON_NETWORK', 'This merchant has no account at the network.', { network });
  }
}
