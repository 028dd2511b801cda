import { describe, expect, it } from '@jest/globals';
import { after, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import {
  CheckoutAlreadyConfirmed,
  CheckoutCancelled,
  CheckoutExpired,
  QuoteExpired,
} from '../../../../subgraphs/payments/checkout/checkout.errors.js';
import { examplePrice, openCheckout, terms } from '../../../support/payment.js';

const noon = new Date('2026-06-01T12:00:00Z');

describe('Checkout', () => {
  it('is open for half an hour, its price for five minutes', () => {
    const checkout = openCheckout(examplePrice, noon);
    expect(checkout.statusAt(after(noon, 29 * MINUTE))).toBe('OPEN');
    expect(checkout.statusAt(after(noon, 30 * MINUTE))).toBe('EXPIRED');
    expect(() => checkout.confirm(after(noon, 5 * MINUTE))).toThrow(QuoteExpired);
    expect(() => checkout.confirm(after(noon, 30 * MINUTE))).toThrow(CheckoutExpired);
    checkout.confirm(after(noon, 5 * MINUTE - 1));
    expect(checkout.status).toBe('CONFIRMED');
  });

  it('does not outlive its code', () => {
    const checkout = openCheckout(examplePrice, noon, after(noon, MINUTE));
    expect(() => checkout.confirm(after(noon, MINUTE))).toThrow(CheckoutExpired);
  });

  it('takes a new price, and with it new time to accept it', () => {
    const checkout = openCheckout(examplePrice, noon);
    const later = after(noon, 10 * MINUTE);
    checkout.requote(terms({ ...examplePrice, sell: 1_420n }, later), later);
    checkout.confirm(after(later, MINUTE));
    expect(checkout.sell.toDecimal()).toBe('14.20');
  });

  it('is confirmed once', () => {
    const checkout = openCheckout(examplePrice, noon);
    checkout.confirm(noon);
    expect(() => checkout.confirm(noon)).toThrow(CheckoutAlreadyConfirmed);
    expect(() => checkout.cancel(noon)).toThrow(CheckoutAlreadyConfirmed);
    expect(() => checkout.requote(terms(), noon)).toThrow(CheckoutAlreadyConfirmed);
  });

  it('stays cancelled, and may be cancelled again', () => {
    const checkout = openCheckout(examplePrice, noon);
    checkout.cancel(noon);
    checkout.cancel(noon);
    expect(() => checkout.confirm(noon)).toThrow(CheckoutCancelled);
  });
});
