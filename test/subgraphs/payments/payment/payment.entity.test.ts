import { describe, expect, it } from '@jest/globals';
import { InvariantViolation } from '../../../../subgraphs/kernel/error.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Principal } from '../../../../subgraphs/kernel/principal.js';
import { purchaseColumns } from '../../../../subgraphs/payments/checkout/purchase.js';
import { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { asker } from '../../../support/ask.js';
import { completedPayment, openCheckout } from '../../../support/payment.js';

const noon = new Date('2026-06-01T12:00:00Z');

describe('Payment', () => {
  it('takes its terms from the checkout and never from anywhere else', () => {
    const checkout = openCheckout();
    const payment = Payment.of(checkout, noon);
    expect(payment).toMatchObject({ quoteId: checkout.quoteId, checkoutId: checkout.id, status: 'PROCESSING' });
    expect(payment.sell.equals(checkout.sell) && payment.buy.equals(checkout.buy)).toBe(true);
    for (const column of Object.keys(purchaseColumns()) as (keyof ReturnType<typeof purchaseColumns>)[]) {
      expect([column, payment[column]]).toEqual([column, checkout[column]]);
      expect(payment[column]).not.toBeUndefined();
    }
    // What is the checkout's own stays there.
    expect([payment.id === (checkout.id as string), payment.createdAt]).toEqual([false, noon]);
  });

  it('numbers its events without a gap, each with the status of its time (M8)', () => {
    const payment = Payment.of(openCheckout(), noon);
    const events = [payment.record('CONFIRMED', noon)];
    payment.paid(noon);
    events.push(payment.record('PAID', noon));
    payment.completed(noon);
    events.push(payment.record('COMPLETED', noon));
    expect(events.map(({ sequence, status }) => [sequence, status])).toEqual([
      [1, 'PROCESSING'],
      [2, 'PAID'],
      [3, 'COMPLETED'],
    ]);
    expect(events.map((event) => event.isTerminal())).toEqual([false, false, true]);
  });

  it('cannot fail once the merchant is paid (M7)', () => {
    const payment = Payment.of(openCheckout(), noon);
    payment.paid(noon);
    expect(() => payment.failed('X')).toThrow(InvariantViolation);
    expect(() => payment.declined('X')).toThrow(InvariantViolation);
  });

  it('tells the payer what is wrong with a wallet, the merchant only that it declined, and nobody why it is in review', () => {
    const declined = Payment.of(openCheckout(), noon);
    declined.declined('WALLET_RESTRICTED');
    expect(declined.declineReasonFor(asker.traveler(declined.travelerId))).toBe('WALLET_RESTRICTED');
    expect(declined.declineReasonFor(asker.member(declined.merchantId))).toBe('WALLET_DECLINED');
    const reviewed = Payment.of(openCheckout(), noon);
    reviewed.needsReview('NETWORK_AMOUNT_DIFFERS');
    expect(reviewed.declineReasonFor(asker.operator())).toBeNull();
    expect(completedPayment().declineReasonFor(asker.operator())).toBeNull();
  });

  it('is seen by its payer, its merchant, its partners and operators, and by nobody else', () => {
    const partnerId = newId('ptr', 'us');
    const payment = Object.assign(completedPayment(), { partnerIds: [partnerId] });
    const mayKnow = [
      asker.traveler(payment.travelerId),
      asker.member(payment.merchantId),
      asker.partner(partnerId),
      asker.operator(),
    ];
    const unscoped = ({ kind, subject, merchantIds }: Principal) =>
      new Principal({ kind, subject, scopes: [], merchantIds });
    const mayNot = [
      unscoped(asker.member(payment.merchantId)),
      unscoped(asker.partner(partnerId)),
      asker.traveler(newId('trv', 'us')),
      asker.member(newId('mer', 'cn')),
      asker.partner(newId('ptr', 'us')),
      asker.stranger,
      asker.payments,
    ];
    expect(mayKnow.map((principal) => payment.isVisibleTo(principal))).toEqual([true, true, true, true]);
    expect(mayNot.map((principal) => payment.isVisibleTo(principal))).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(mayKnow.map((principal) => payment.isOfPayer(principal))).toEqual([true, false, false, true]);
  });
});
