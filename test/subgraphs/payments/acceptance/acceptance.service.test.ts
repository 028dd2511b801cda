import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { after, DAY, HOUR, MINUTE, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { Network } from '../../../../subgraphs/kernel/graphql/enums.js';
import { newId, type PaymentId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import type { NetworkClient } from '../../../../subgraphs/payments/network/network.client.js';
import { silent } from '../../../support/logger.js';
import { World } from '../../../support/world.js';

/** What a test lets the network's client do instead of what it does. */
type Script = {
  [Call in 'pay' | 'inquire' | 'cancel']?: (
    real: NetworkClient,
    ...args: Parameters<NetworkClient[Call]>
  ) => ReturnType<NetworkClient[Call]>;
};

let world: World;
let script: Script = {};
let ahead = 0;

beforeAll(async () => {
  world = await World.start({
    now: () => after(systemClock(), ahead),
    outside: (outside) => {
      const real = outside.networks[Network.WECHAT_PAY];
      const scripted: NetworkClient = {
        pay: (request) => script.pay?.(real, request) ?? real.pay(request),
        inquire: (id) => script.inquire?.(real, id) ?? real.inquire(id),
        cancel: (id) => script.cancel?.(real, id) ?? real.cancel(id),
        refund: (request) => real.refund(request),
        inquireRefund: (id, merchant) => real.inquireRefund(id, merchant),
      };
      return { ...outside, networks: { [Network.WECHAT_PAY]: scripted } };
    },
  });
});
afterAll(() => world.stop());
beforeEach(() => {
  script = {};
  ahead = 0;
});

const unknown = { outcome: 'UNKNOWN' as const, cause: 'lost' };
const refused = { outcome: 'NO' as const, reason: 'NETWORK_REFUSED', code: 'CODE_EXPIRED' };

async function reasonOf(paymentId: PaymentId): Promise<string | null | undefined> {
  const [row] = await world.payments.em
    .fork()
    .execute<{ reason: string | null }[]>('select reason from payment where id = ?', [paymentId]);
  return row?.reason;
}

/** Waits until the network may have been asked: only then the clock may jump. */
async function submitted(paymentId: PaymentId): Promise<void> {
  await world.eventually(5_000, async () => {
    const rows = await world.payments.em
      .fork()
      .execute<unknown[]>("select 1 from payment_acceptance where payment_id = ? and status = 'SUBMITTED'", [
        paymentId,
      ]);
    return rows.length > 0 ? true : null;
  });
}

async function paidOutside(paymentId: PaymentId): Promise<boolean> {
  const { transactions = [] } = await world.books('wechatPay');
  return transactions.some((entry) => entry.paymentId === paymentId && entry.status === 'SUCCESS');
}

describe('The network leg', () => {
  it('does not believe a refused repetition while the first request may still arrive (M10)', async () => {
    let calls = 0;
    let late: Promise<unknown> = Promise.resolve();
    script.pay = async (real, request) => {
      calls += 1;
      if (calls > 1) return refused;
      late = new Promise((resolve) => setTimeout(resolve, 1_500)).then(() => real.pay(request));
      return unknown;
    };
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('FAILED');
    await late;
    // The network had agreed to forget it: what arrives late is refused.
    expect(await paidOutside(paymentId)).toBe(false);
  });

  it('pays when the network has not forgotten but paid', async () => {
    let calls = 0;
    script.pay = async (real, request) => {
      calls += 1;
      if (calls > 1) return refused;
      await real.pay(request);
      return unknown;
    };
    script.inquire = async (real, id) => (calls === 1 ? { outcome: 'MISSING' } : real.inquire(id));
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('COMPLETED');
    expect(await paidOutside(paymentId)).toBe(true);
  });

  it('sends an amount that differs to a person, and keeps the hold', async () => {
    script.pay = async (real, request) => {
      const answer = await real.pay(request);
      return answer.outcome === 'YES' ? { ...answer, amount: Money.of(1n, 'CNY') } : answer;
    };
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('IN_REVIEW');
    expect(await reasonOf(paymentId)).toBe('NETWORK_AMOUNT_DIFFERS');
  });

  it('sends a payment to another merchant to a person (M5)', async () => {
    script.pay = async (real, request) => ({ ...(await real.pay(request)), networkMerchantId: '1900000000' }) as never;
    const paymentId = await world.pay('ok');
    expect(await world.settled(paymentId)).toBe('IN_REVIEW');
    expect(await reasonOf(paymentId)).toBe('NETWORK_MERCHANT_DIFFERS');
  });

  it('sends a transaction that another payment has to a person', async () => {
    const transactionId = `4200${newId('pay', 'us').slice(-20)}`;
    script.pay = async (real, request) => {
      const answer = await real.pay(request);
      return answer.outcome === 'YES' ? { ...answer, transactionId } : answer;
    };
    expect(await world.settled(await world.pay('ok'))).toBe('COMPLETED');
    const second = await world.pay('ok');
    expect(await world.settled(second)).toBe('IN_REVIEW');
    expect(await reasonOf(second)).toBe('CONTRADICTION');
  });

  it.each([
    ['sends to a person', 1, 'IN_REVIEW', 'PAID_AFTER_REFUSAL', 'HELD', 0],
    ['leaves to the operators', 2, 'FAILED', 'NETWORK_REFUSED', 'VOIDED', 1],
  ])('%s a yes after a no that was believed, %i steps later', async (_, steps, status, reason, hold, told) => {
    const errors = jest.spyOn(silent, 'error');
    const answered = Promise.withResolvers<void>();
    script.inquire = async () => refused;
    script.pay = async (real, request) => {
      const answer = await real.pay(request);
      // Others have gone on meanwhile.
      const saga = world.payments.sagas.payments['work'];
      for (let step = 0; step < steps; step += 1) await saga.advance(request.paymentId, null);
      answered.resolve();
      return answer;
    };
    const paymentId = await world.pay('ok');
    await answered.promise;
    await world.payments.sagas.payments.idle();
    expect([await world.settled(paymentId), await reasonOf(paymentId)]).toEqual([status, reason]);
    const held = world.payments.em
      .fork()
      .execute('select status from payment_authorization where payment_id = ?', [paymentId]);
    await expect(held).resolves.toEqual([{ status: hold }]);
    expect(errors.mock.calls.filter(([, said]) => said === 'a payment contradicts itself')).toHaveLength(told);
    errors.mockRestore();
  });

  it('asks the network to give up a payer who takes too long', async () => {
    const paymentId = await world.pay('slow');
    script.inquire = async () => ({ outcome: 'IN_PROGRESS' });
    await submitted(paymentId);
    ahead = 2 * MINUTE;
    expect(await world.settled(paymentId)).toBe('FAILED');
    expect(await reasonOf(paymentId)).toBe('NETWORK_CANCELLED');
    expect(await paidOutside(paymentId)).toBe(false);
  });

  it('does not ask a network that was not asked in time', async () => {
    let asked = 0;
    script.pay = async () => {
      asked += 1;
      return unknown;
    };
    world.lines.paypal.spoil('/v2/checkout/orders', { kind: 'CUT_BEFORE' }, 3);
    const paymentId = await world.pay('ok');
    ahead = 11 * MINUTE;
    expect(await world.settled(paymentId)).toBe('FAILED');
    expect(await reasonOf(paymentId)).toBe('TIMED_OUT');
    expect(asked).toBe(0);
  });

  it('believes a missing payment only half a minute after its time, and the network still denying it', async () => {
    script.pay = async () => unknown;
    script.inquire = async () => ({ outcome: 'MISSING' });
    script.cancel = async () => ({ outcome: 'MISSING' });
    const paymentId = await world.pay('ok');
    await submitted(paymentId);
    ahead = 10 * MINUTE + 5_000;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await reasonOf(paymentId)).toBeNull();
    ahead = 11 * MINUTE;
    expect(await world.settled(paymentId, 30_000)).toBe('FAILED');
    expect(await reasonOf(paymentId)).toBe('TIMED_OUT');
  });

  it('leaves a payment that stays unknown for a day and many questions to a person', async () => {
    script.pay = async () => unknown;
    script.inquire = async () => unknown;
    const paymentId = await world.pay('ok');
    await submitted(paymentId);
    ahead = DAY + HOUR;
    await world.payments.em.fork().execute('update payment set attempt = 11 where id = ?', [paymentId]);
    expect(await world.settled(paymentId, 60_000)).toBe('IN_REVIEW');
    expect(await reasonOf(paymentId)).toBe('NETWORK_OUTCOME_UNKNOWN');
  });
});
