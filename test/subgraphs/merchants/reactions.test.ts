import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CodeId } from '../../../subgraphs/kernel/id.js';
import { newId } from '../../../subgraphs/kernel/id.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { until } from '../../connectors/wechat-pay/network.fixture.js';
import { asker } from '../../support/ask.js';
import { type MerchantsWorld, merchantsWorld } from './merchants.world.js';

let world: MerchantsWorld;
beforeAll(async () => {
  world = await merchantsWorld();
  await world.merchants.start();
});
afterAll(() => world.close());

async function newCode(amount: string | null) {
  const merchantId = await world.merchant();
  const money = amount === null ? null : Money.parse(amount, 'CNY');
  const command = { merchantId, amount: money, reference: null, idempotencyKey: null };
  return world.merchants.services.codes.create(command, asker.member(merchantId));
}

async function happened(...payloads: Record<string, unknown>[]): Promise<void> {
  const subject = `payment.${newId('pay', 'us')}`;
  await world.bus.publish(payloads.map((payload) => ({ id: newId('evt', 'us'), subjects: [subject], payload })));
}

async function stateOf(id: CodeId) {
  const [row] = await world.sql('select status, payment_id from payment_code where id = $1', [id]);
  return row;
}

/** When this one is paid, everything that was published before it was reacted to. */
async function allReactedTo(): Promise<void> {
  const last = await newCode('1');
  await happened({ type: 'PAID', paymentId: newId('pay', 'us'), codeId: last.id });
  await until('the last reaction', async () => ((await stateOf(last.id))?.['status'] === 'PAID' ? true : null));
}

describe('When a payment of ours is paid', () => {
  it('its order is paid, once, however often the event comes', async () => {
    const code = await newCode('50.00');
    const paymentId = newId('pay', 'us');
    const paid = {
      __typename: 'PaymentEventDelivery',
      id: newId('evt', 'us'),
      type: 'PAID',
      paymentId,
      codeId: code.id,
    };
    await happened({ ...paid, type: 'CONFIRMED' }, paid, paid, { ...paid, type: 'COMPLETED' });
    await allReactedTo();
    expect(await stateOf(code.id)).toEqual({ status: 'PAID', payment_id: paymentId });
    const scan = world.merchants.services.scans.resolve(code.payload ?? '');
    await expect(scan).rejects.toMatchObject({ code: 'CODE_EXPIRED', details: { reason: 'PAID' } });
  });

  it('by another event than PAID, nothing happens yet', async () => {
    const code = await newCode('50.00');
    for (const type of ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'DECLINED', 'FAILED'])
      await happened({ type, paymentId: newId('pay', 'us'), codeId: code.id });
    await allReactedTo();
    expect(await stateOf(code.id)).toEqual({ status: 'ACTIVE', payment_id: null });
  });

  it('a static code stays as it is', async () => {
    const code = await newCode(null);
    await happened({ type: 'PAID', paymentId: newId('pay', 'us'), codeId: code.id });
    await allReactedTo();
    expect(await stateOf(code.id)).toEqual({ status: 'ACTIVE', payment_id: null });
  });

  it('a second payment of one order overwrites nothing and holds up nobody (C6)', async () => {
    const code = await newCode('50.00');
    const first = newId('pay', 'us');
    await happened({ type: 'PAID', paymentId: first, codeId: code.id });
    await happened({ type: 'PAID', paymentId: newId('pay', 'us'), codeId: code.id });
    await allReactedTo();
    expect(await stateOf(code.id)).toEqual({ status: 'PAID', payment_id: first });
  });

  it('with a code that is not ours, of nobody, or in words that nobody understands, life goes on', async () => {
    await happened(
      { type: 'PAID', paymentId: newId('pay', 'us'), codeId: null },
      { type: 'PAID', paymentId: newId('pay', 'us') },
      { type: 'PAID', paymentId: newId('pay', 'us'), codeId: newId('cod', 'cn') },
      { type: 'PAID', paymentId: newId('pay', 'us'), codeId: 'garbage' },
      { type: 7 },
      {},
    );
    await allReactedTo();
  });
});
