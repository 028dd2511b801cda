import { describe, expect, it } from '@jest/globals';
import { walletTransitions } from '../../../../subgraphs/users/wallet/wallet.states.js';

describe('The states of a wallet', () => {
  it('are these steps and no others', () => {
    expect(walletTransitions).toEqual({ ACTIVE: ['SUSPENDED', 'CLOSED'], SUSPENDED: ['ACTIVE', 'CLOSED'], CLOSED: [] });
  });
});
