import { describe, it } from '@jest/globals';
import { refundLegTransitions, refundTransitions } from '../../../../subgraphs/payments/refund/refund.states.js';
import { expectOnly } from '../../../support/transitions.js';

describe('The states of a refund', () => {
  it('take a refund from the merchant before giving it to the payer', () => {
    expectOnly(refundLegTransitions, [
      'REQUESTED>TAKEN',
      'REQUESTED>REFUSED',
      'TAKEN>GIVEN',
      'TAKEN>OWED',
      'OWED>GIVEN',
    ]);
    expectOnly(refundTransitions, ['PROCESSING>COMPLETED', 'PROCESSING>FAILED']);
  });
});
