import { describe, it } from '@jest/globals';
import { checkoutTransitions } from '../../../../subgraphs/payments/checkout/checkout.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of a checkout', () => {
  it('let a checkout end once', () => {
    expectOnly(checkoutTransitions, ['OPEN>CONFIRMED', 'OPEN>EXPIRED', 'OPEN>CANCELLED']);
  });
});
