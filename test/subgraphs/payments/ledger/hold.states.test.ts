import { describe, it } from '@jest/globals';
import { holdTransitions } from '../../../../subgraphs/payments/ledger/hold.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of a hold', () => {
  it('resolve a hold once (M3)', () => {
    expectOnly(holdTransitions, ['PENDING>POSTED', 'PENDING>VOIDED']);
  });
});
