import { describe, it } from '@jest/globals';
import { authorizationTransitions } from '../../../../subgraphs/payments/authorization/authorization.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of the wallet leg', () => {
  it('capture or void only what is held', () => {
    expectOnly(authorizationTransitions, ['REQUESTED>HELD', 'REQUESTED>DECLINED', 'HELD>CAPTURED', 'HELD>VOIDED']);
  });
});
