import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PaymentId } from '../../../../subgraphs/kernel/id.js';
import { paymentStatuses } from '../../../../subgraphs/payments/payment/payment.states.js';
import { sendToReview } from '../../../../subgraphs/payments/saga/review.service.js';
import { LegsLab } from '../../../support/legs.js';

const now = new Date('2026-06-01T12:00:00Z');
let lab: LegsLab;
beforeAll(async () => {
  lab = await LegsLab.open();
});
afterAll(() => lab.close());

const review = (id: PaymentId) => sendToReview(lab.orm.em, id, 'NETWORK_AMOUNT_DIFFERS', now);

describe('A contradiction', () => {
  it.each(paymentStatuses)(
    'hands a payment at work to a person, once, and leaves one that is over: %s',
    async (status) => {
      const id = await lab.newPayment();
      await lab.set(id, `status = '${status}', reason = 'BEFORE', paid_at = now(), completed_at = now()`);
      await review(id);
      await review(id);
      const { payment } = await lab.read(id);
      const events = await lab.eventsOf(id);
      if (status === 'PROCESSING' || status === 'PAID') {
        expect(events).toEqual(['1 IN_REVIEW IN_REVIEW']);
        expect([payment.status, payment.reason]).toEqual(['IN_REVIEW', 'NETWORK_AMOUNT_DIFFERS']);
      } else {
        expect(events).toEqual([]);
        expect([payment.status, payment.reason, payment.eventCount]).toEqual([status, 'BEFORE', 0]);
      }
    },
  );

  it('is written down once by however many find it at once', async () => {
    const id = await lab.newPayment();
    await Promise.all(Array.from({ length: 6 }, () => review(id)));
    expect(await lab.eventsOf(id)).toEqual(['1 IN_REVIEW IN_REVIEW']);
  });
});
