import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { ForbiddenTransition } from '../../../../subgraphs/kernel/states.js';
import { PaymentCode } from '../../../../subgraphs/merchants/code/code.entity.js';
import { codeTransitions } from '../../../../subgraphs/merchants/code/code.states.js';

const now = new Date('2026-06-01T12:00:00.789Z');
const birth = { merchantId: newId('mer', 'cn'), network: 'WECHAT_PAY', reference: null, now } as const;
const order = () => PaymentCode.order({ ...birth, amount: Money.parse('5', 'CNY') });
const still = () => PaymentCode.static({ ...birth, currency: 'CNY', payload: (id) => `wxp://${id}` });

describe('The states of a code', () => {
  it('are these steps and no others', () => {
    expect(codeTransitions).toEqual({
      REGISTERING: ['ACTIVE', 'CLOSED'],
      ACTIVE: ['PAID', 'CLOSED'],
      CLOSED: ['PAID'],
      PAID: [],
    });
  });

  it('end with the payment: the same one again is fine, another one is not (C6)', () => {
    const code = order();
    code.registered('weixin://x');
    const paymentId = newId('pay', 'us');
    code.paid(paymentId, now);
    code.paid(paymentId, now);
    expect(code.statusAt(now)).toBe('PAID');
    expect(() => code.paid(newId('pay', 'us'), now)).toThrow(ForbiddenTransition);
    expect(() => code.close(now)).toThrow(ForbiddenTransition);
    expect(code.paymentId).toBe(paymentId);
  });

  it('let a payment be heard of after the code was closed', () => {
    const code = order();
    code.registered('weixin://x');
    code.close(now);
    code.paid(newId('pay', 'us'), now);
    expect(code.statusAt(now)).toBe('PAID');
  });

  it('never end a static code by a payment', () => {
    const code = still();
    code.paid(newId('pay', 'us'), now);
    expect(code.statusAt(now)).toBe('ACTIVE');
  });

  it('are nobody’s to see before there is a payload', () => {
    expect(() => order().statusAt(now)).toThrow('not a code yet');
  });
});

describe('An order', () => {
  it('ends on a whole second, so that a repeated request says exactly the same', () => {
    const { expiresAt } = order();
    expect(expiresAt?.toISOString()).toBe('2026-06-01T14:00:00.000Z');
  });

  it('is over at its end, not after it', () => {
    const code = order();
    code.registered('weixin://x');
    expect(code.statusAt(new Date('2026-06-01T13:59:59.999Z'))).toBe('ACTIVE');
    expect(code.statusAt(new Date('2026-06-01T14:00:00.000Z'))).toBe('EXPIRED');
  });

  it('has a number that the network takes', () => {
    expect(order().outTradeNo).toMatch(/^cod_[0-9a-z]{26}$/);
  });
});
