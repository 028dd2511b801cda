import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvariantViolation } from '../../../../subgraphs/kernel/error.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import type { Payment } from '../../../../subgraphs/payments/payment/payment.entity.js';
import { Refund } from '../../../../subgraphs/payments/refund/refund.entity.js';
import { completedPayment, type Price } from '../../../support/payment.js';

function refund(payment: Payment, fen: bigint): Refund {
  const made = Refund.request(payment, Money.of(fen, 'CNY'), 'Returned', 'mem_cn_x', new Date());
  payment.reserveRefund(made);
  return made;
}

const prices: fc.Arbitrary<Price> = fc
  .record({
    buy: fc.bigInt({ min: 1n, max: 10_000_000n }),
    mid: fc.bigInt({ min: 1n, max: 2_000_000n }),
    spread: fc.bigInt({ min: 0n, max: 50_000n }),
    fee: fc.bigInt({ min: 0n, max: 5_000n }),
  })
  .map(({ buy, mid, spread, fee }) => ({ buy, sell: mid + spread + fee, spread, fee }));

describe('Refund', () => {
  it('gives 33.33, 33.33 and 33.34 of CNY 100.00 back as 4.70, 4.71 and 4.70 of USD 14.11', () => {
    const payment = completedPayment();
    const refunds = [3_333n, 3_333n, 3_334n].map((fen) => refund(payment, fen));
    expect(refunds.map(({ sell }) => sell.toDecimal())).toEqual(['4.70', '4.71', '4.70']);
    expect(refunds.map(({ spreadMinor }) => spreadMinor)).toEqual([7n, 8n, 7n]);
  });

  it('asks the wallet with nothing under way: what was asked of the network is answered', () => {
    const made = refund(completedPayment(), 100n);
    made.unclearSince = new Date();
    made.taken('n');
    expect(made.unclearSince).toBeNull();
  });

  it('adds up to the payment exactly, in every part, however it is cut (M6)', () => {
    const cuts = fc.array(fc.bigInt({ min: 1n, max: 1_000_000n }), { minLength: 0, maxLength: 20 });
    fc.assert(
      fc.property(prices, cuts, (price, wanted) => {
        const payment = completedPayment(price);
        for (const fen of wanted) {
          const left = payment.buyMinor - payment.refundedBuyMinor;
          if (left > 0n) refund(payment, fen < left ? fen : left);
        }
        const left = payment.buyMinor - payment.refundedBuyMinor;
        if (left > 0n) refund(payment, left);
        expect(payment.refundedSellMinor).toBe(price.sell);
        expect(payment.refundedSpreadMinor).toBe(price.spread);
        expect(payment.refundedFeeMinor).toBe(price.fee);
      }),
    );
  });

  it('is never more than half a cent away from its exact share', () => {
    fc.assert(
      fc.property(prices, fc.bigInt({ min: 1n, max: 10_000_000n }), (price, fen) => {
        const payment = completedPayment(price);
        const buy = fen < price.buy ? fen : price.buy;
        const { sellMinor } = refund(payment, buy);
        const twiceOff = 2n * (sellMinor * price.buy - price.sell * buy);
        expect(twiceOff <= price.buy && twiceOff >= -price.buy).toBe(true);
      }),
    );
  });

  it('gives nothing for a few fen, and makes up for it later', () => {
    const payment = completedPayment();
    expect(refund(payment, 3n).sell.isZero()).toBe(true);
    expect(refund(payment, 4n).sell.toDecimal()).toBe('0.01');
  });

  it('cannot exceed the payment (M6)', () => {
    const payment = completedPayment();
    refund(payment, 9_999n);
    expect(() => refund(payment, 2n)).toThrow(InvariantViolation);
  });

  it('frees what it reserved when the network refuses', () => {
    const payment = completedPayment();
    const refused = refund(payment, 5_000n);
    refused.refused('NETWORK_REFUSED_REFUND');
    payment.releaseRefund(refused);
    expect(payment.refundedBuy.isZero()).toBe(true);
    expect(refund(payment, 10_000n).sell.toDecimal()).toBe('14.11');
  });

  it('goes from the merchant to the payer, never the other way', () => {
    const payment = completedPayment();
    const made = refund(payment, 100n);
    expect(() => made.given('r', new Date())).toThrow(InvariantViolation);
    made.taken('n');
    expect(() => made.refused('X')).toThrow(InvariantViolation);
    made.given('r', new Date());
    expect(made).toMatchObject({ status: 'COMPLETED', legStatus: 'GIVEN', walletRefundId: 'r', networkRefundId: 'n' });
  });
});
