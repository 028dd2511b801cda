import { afterEach, describe, expect, it } from '@jest/globals';
import { Counterpart, closeEverything, refundOf, refusalOf, usd } from '../counterpart.js';

afterEach(closeEverything);

const DAY = 86_400_000;

describe('A capture', () => {
  it('is refunded in parts up to its amount and not a cent further', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.capture('a', '10.00');
    await paypal.client.refundCapture(refundOf('one', id, '3.33'));
    expect((await paypal.client.getCapture(id)).status).toBe('PARTIALLY_REFUNDED');
    expect(await refusalOf(paypal.client.refundCapture(refundOf('two', id, '6.68')))).toMatchObject({
      code: 'REFUND_AMOUNT_EXCEEDED',
      action: 'FINAL',
    });
    await paypal.client.refundCapture(refundOf('three', id, '6.67'));
    expect((await paypal.client.getCapture(id)).status).toBe('REFUNDED');
    expect(await refusalOf(paypal.client.refundCapture(refundOf('four', id, '0.01')))).toMatchObject({
      code: 'CAPTURE_FULLY_REFUNDED',
      action: 'ALREADY_DONE',
    });
  });

  it('gives back no more than it took when many ask at once', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.capture('a', '10.00');
    const outcomes = await Promise.allSettled(
      ['one', 'two', 'three'].map((name) => paypal.client.refundCapture(refundOf(name, id, '4.00'))),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    const { refunds } = await paypal.books();
    expect(refunds.map(({ amount }) => amount)).toEqual(['4.00', '4.00']);
  });

  it('is refunded wholly by a request that names no amount: why our client always names one', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.capture('a', '10.00');
    await paypal.client.refundCapture(refundOf('one', id, '3.00'));
    const answer = await paypal.ask(
      'POST',
      `/v2/payments/captures/${id}/refund`,
      {},
      {
        'paypal-request-id': 'all',
        prefer: 'return=representation',
      },
    );
    expect(answer.body).toMatchObject({
      amount: { value: '7.00' },
      seller_payable_breakdown: { total_refunded_amount: { value: '10.00' } },
    });
  });

  it('takes two equal refunds for two, and one invoice of a refund once', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.capture('a', '10.00');
    await paypal.client.refundCapture(refundOf('one', id, '2.00'));
    await paypal.client.refundCapture(refundOf('two', id, '2.00'));
    const again = { ...refundOf('three', id, '2.00'), invoiceId: 'refund-one' };
    expect(await refusalOf(paypal.client.refundCapture(again))).toMatchObject({ code: 'DUPLICATE_INVOICE_ID' });
  });

  it('is not refunded in another currency, nor by nothing', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.capture('a', '10.00');
    const yen = { currency_code: 'JPY', value: '2' };
    expect(
      await paypal.ask('POST', `/v2/payments/captures/${id}/refund`, { amount: yen }, { 'paypal-request-id': 'yen' }),
    ).toMatchObject({ status: 422, issue: 'REFUND_CAPTURE_CURRENCY_MISMATCH' });
    expect(await refusalOf(paypal.client.refundCapture(refundOf('zero', id, '0.00')))).toMatchObject({
      code: 'CANNOT_BE_ZERO_OR_NEGATIVE',
      action: 'OUR_BUG',
    });
  });

  it('is refundable for 180 days', async () => {
    let time = Date.now();
    const paypal = await Counterpart.start({ now: () => new Date(time) });
    const id = await paypal.capture('a', '10.00');
    time += 180 * DAY;
    expect(await paypal.client.refundCapture(refundOf('in-time', id, '1.00'))).toMatchObject({ amount: usd('1.00') });
    time += 1;
    expect(await refusalOf(paypal.client.refundCapture(refundOf('late', id, '1.00')))).toMatchObject({
      code: 'REFUND_TIME_LIMIT_EXCEEDED',
      action: 'FINAL',
    });
  });

  it('that does not exist is not refunded', async () => {
    const paypal = await Counterpart.start();
    expect(await refusalOf(paypal.client.refundCapture(refundOf('a', 'NOSUCH', '1.00')))).toMatchObject({
      code: 'INVALID_RESOURCE_ID',
    });
    expect(await refusalOf(paypal.client.getRefund('NOSUCH'))).toMatchObject({ code: 'INVALID_RESOURCE_ID' });
  });
});
