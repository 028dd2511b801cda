import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RouteAnswer } from '../../../subgraphs/kernel/graphql/subgraph.js';
import { type CodeId, newId } from '../../../subgraphs/kernel/id.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import type { PaymentCode } from '../../../subgraphs/merchants/code/code.entity.js';
import { type Delivery, until } from '../../connectors/wechat-pay/network.fixture.js';
import { asker } from '../../support/ask.js';
import { firstStore, type MerchantsWorld, merchantsWorld } from './merchants.world.js';

let world: MerchantsWorld;
beforeAll(async () => {
  world = await merchantsWorld();
  await world.merchants.start();
});
afterEach(() => {
  world.wire.mode = 'PASS';
});
afterAll(() => world.close());

async function newOrder(): Promise<PaymentCode> {
  const merchantId = await world.merchant();
  const command = { merchantId, amount: Money.parse('50', 'CNY'), reference: null, idempotencyKey: null };
  return world.merchants.services.codes.create(command, asker.member(merchantId));
}

const rowOf = async (id: CodeId) =>
  (await world.sql('select status, payment_id from payment_code where id = $1', [id]))[0];

/** Pays an order as somebody with a wallet of the network's own. @returns what the network then tells us */
async function paidByAStranger(code: PaymentCode): Promise<Delivery> {
  const { receiver, wallet } = world.network;
  const before = receiver.deliveries.length;
  await wallet.pay({ ...world.network.payRequest(code.payload ?? ''), notifyUrl: `${receiver.url}/a-foreign-wallet` });
  return until('a word about the order', () => {
    const since = receiver.deliveries.slice(before);
    return since.find(({ path }) => path === '/notifications/wechat-pay/orders') ?? null;
  });
}

function deliver({ headers, body }: Pick<Delivery, 'headers' | 'body'>): Promise<RouteAnswer> {
  const route = world.merchants.routes.find(({ path }) => path === '/notifications/wechat-pay/orders');
  if (!route) throw new Error('merchants takes no notifications');
  return route.answer({ headers, body });
}

describe('When the network says that an order was paid', () => {
  it('by somebody who is no payer of ours, the order is PAID, without a payment, however often it is said', async () => {
    const code = await newOrder();
    const word = await paidByAStranger(code);
    for (let times = 0; times < 2; times += 1) expect(await deliver(word)).toEqual({ status: 204 });
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: null });
    const query = 'query ($id: ID!) { paymentCode(id: $id) { status paidAt } }';
    const { data } = await world.ask(asker.member(code.merchantId), query, { id: code.id });
    expect(data).toEqual({ paymentCode: { status: 'PAID', paidAt: expect.any(String) } });
  });

  it('and then we hear by which payment of ours, the order keeps that payment and no other (C6)', async () => {
    const code = await newOrder();
    await deliver(await paidByAStranger(code));
    const paymentId = newId('pay', 'us');
    for (let times = 0; times < 2; times += 1) await world.merchants.services.codes.markPaid(code.id, paymentId);
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: paymentId });
    await expect(world.merchants.services.codes.markPaid(code.id, newId('pay', 'us'))).rejects.toThrow();
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: paymentId });
  });

  it('after we heard by which payment of ours, nothing changes', async () => {
    const code = await newOrder();
    const word = await paidByAStranger(code);
    const paymentId = newId('pay', 'us');
    await world.merchants.services.codes.markPaid(code.id, paymentId);
    expect(await deliver(word)).toEqual({ status: 204 });
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: paymentId });
  });

  it('but cannot be asked just now, it is told to come again, and the order stays as it was', async () => {
    const code = await newOrder();
    const word = await paidByAStranger(code);
    world.wire.mode = 'DOWN';
    expect(await deliver(word)).toMatchObject({ status: 503 });
    expect(await rowOf(code.id)).toEqual({ status: 'ACTIVE', payment_id: null });
  });

  it('of an order that is not ours, it is thanked and nothing happens', async () => {
    const before = world.network.receiver.deliveries.length;
    const { codeUrl } = await world.network.order('someone-elses-1', '50.00', firstStore);
    await world.network.wallet.pay(world.network.payRequest(codeUrl));
    const word = await until('a word about the order', () => {
      const since = world.network.receiver.deliveries.slice(before);
      return since.find(({ body }) => body.includes('TRANSACTION.SUCCESS')) ?? null;
    });
    expect(await deliver(word)).toEqual({ status: 204 });
  });

  it('in words that nobody signed or that were altered, it is refused and nothing happens', async () => {
    const code = await newOrder();
    const { headers, body } = await paidByAStranger(code);
    const altered = Buffer.from(body);
    altered[altered.length - 3] = 0x20;
    for (const forged of [
      { headers: {}, body },
      { headers, body: Buffer.from('{}') },
      { headers, body: Buffer.alloc(0) },
      { headers, body: altered },
      { headers: { ...headers, 'wechatpay-timestamp': '1000000000' }, body },
    ])
      expect(await deliver(forged)).toMatchObject({ status: 401 });
    expect(await rowOf(code.id)).toEqual({ status: 'ACTIVE', payment_id: null });
  });
});
