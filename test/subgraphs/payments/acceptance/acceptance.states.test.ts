import { describe, it } from '@jest/globals';
import { acceptanceTransitions } from '../../../../subgraphs/payments/acceptance/acceptance.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of the network leg', () => {
  it('accept only what was submitted', () => {
    expectOnly(acceptanceTransitions, [
      'PREPARED>SUBMITTED',
      'PREPARED>REFUSED',
      'SUBMITTED>ACCEPTED',
      'SUBMITTED>REFUSED',
    ]);
  });
});
