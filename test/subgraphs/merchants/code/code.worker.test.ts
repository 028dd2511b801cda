import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import { type CodeId, newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import type { PaymentCode } from '../../../../subgraphs/merchants/code/code.entity.js';
import { CodeWorker } from '../../../../subgraphs/merchants/code/code.worker.js';
import { until } from '../../../connectors/wechat-pay/network.fixture.js';
import { asker } from '../../../support/ask.js';
import { silent } from '../../../support/logger.js';
import { type MerchantsWorld, merchantsWorld } from '../merchants.world.js';

let world: MerchantsWorld;
let skipped = 0;
beforeAll(async () => {
  world = await merchantsWorld(() => new Date(Date.now() + skipped));
});
afterEach(async () => {
  world.wire.mode = 'PASS';
  skipped = 0;
  await world.sql('update payment_code set look_at = null');
});
afterAll(() => world.close());

async function newOrder(): Promise<PaymentCode> {
  const merchantId = await world.merchant();
  const command = { merchantId, amount: Money.parse('50', 'CNY'), reference: null, idempotencyKey: null };
  return world.merchants.services.codes.create(command, asker.member(merchantId));
}

/** Somebody with a wallet of the network's own pays at the counter. */
const paidByAStranger = (code: PaymentCode) => world.network.wallet.pay(world.network.payRequest(code.payload ?? ''));

const rowOf = async (id: CodeId) =>
  (await world.sql('select status, payment_id, look_at from payment_code where id = $1', [id]))[0];

/** Minutes of its life at which the network was asked about an order, while a worker looks once a minute. */
async function looksAt(code: PaymentCode, minutes: number): Promise<number[]> {
  const looks: number[] = [];
  for (let minute = 0; minute <= minutes; minute += 1) {
    skipped = minute * MINUTE + 1_000;
    world.wire.calls.length = 0;
    for (const id of await world.merchants.services.codes.takeOverdue())
      await world.merchants.services.codes.follow(id).catch(() => undefined);
    if (world.wire.calls.some((call) => call.includes(String(code.outTradeNo)))) looks.push(minute);
  }
  return looks;
}

describe('An order of whose end nobody tells', () => {
  it('is found to be paid by the worker, and then left alone', async () => {
    const code = await newOrder();
    await paidByAStranger(code);
    skipped = MINUTE + 1_000;
    const worker = new CodeWorker(world.merchants.services.codes, silent, 20);
    worker.start();
    await until('the order to be paid', async () => ((await rowOf(code.id))?.['status'] === 'PAID' ? true : null));
    await worker.stop();
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: null, look_at: null });
    expect(await world.merchants.services.codes.takeOverdue()).toEqual([]);
    const scan = world.merchants.services.scans.resolve(code.payload ?? '');
    await expect(scan).rejects.toMatchObject({ code: 'CODE_EXPIRED', details: { reason: 'PAID' } });
  });

  it('is asked for ever more rarely, and a last time when nobody can be paying it any more', async () => {
    const code = await newOrder();
    const looks = await looksAt(code, 200);
    expect([looks[0], looks.at(-1)]).toEqual([1, 130]);
    // Its age doubles from look to look, to the next minute at which the worker comes.
    for (const [index, minute] of looks.slice(1, -1).entries()) {
      expect(minute).toBeGreaterThanOrEqual(2 * (looks[index] ?? 0));
      expect(minute).toBeLessThanOrEqual(2 * (looks[index] ?? 0) + 1);
    }
    expect(await rowOf(code.id)).toMatchObject({ status: 'ACTIVE', look_at: null });
  });

  it('is asked for again after the network could not be asked the last time', async () => {
    const code = await newOrder();
    await paidByAStranger(code);
    world.wire.mode = 'DOWN';
    expect(await looksAt(code, 131)).toContain(130);
    expect(await rowOf(code.id)).toMatchObject({ status: 'ACTIVE' });
    world.wire.mode = 'PASS';
    skipped = 5 * HOUR;
    for (const id of await world.merchants.services.codes.takeOverdue())
      await world.merchants.services.codes.follow(id);
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: null, look_at: null });
  });

  it('is looked after by one of two workers at once', async () => {
    await newOrder();
    await newOrder();
    skipped = MINUTE + 1_000;
    const { codes } = world.merchants.services;
    const taken = (await Promise.all([codes.takeOverdue(), codes.takeOverdue()])).flat();
    expect(taken).toHaveLength(2);
    expect(new Set(taken).size).toBe(2);
  });

  it('is closed when the network closed it', async () => {
    const code = await newOrder();
    const [row] = await world.sql('select network_merchant_id as number from network_account where merchant_id = $1', [
      code.merchantId,
    ]);
    await world.network.client.closeOrder(String(code.outTradeNo), String(row?.['number']));
    await world.merchants.services.codes.follow(code.id);
    expect(await rowOf(code.id)).toEqual({ status: 'CLOSED', payment_id: null, look_at: null });
  });

  it('is not asked for when it is a static code, or no code at all', async () => {
    const merchantId = await world.merchant();
    const command = { merchantId, amount: null, reference: null, idempotencyKey: null };
    const still = await world.merchants.services.codes.create(command, asker.member(merchantId));
    world.wire.calls.length = 0;
    await world.merchants.services.codes.follow(still.id);
    await world.merchants.services.codes.follow(newId('cod', 'cn'));
    expect(world.wire.calls).toEqual([]);
  });
});

describe('Cancelling an order that somebody has paid meanwhile', () => {
  it('says so, now and ever after, and the order is PAID', async () => {
    const code = await newOrder();
    await paidByAStranger(code);
    const staff = asker.member(code.merchantId);
    for (let times = 0; times < 2; times += 1)
      await expect(world.merchants.services.codes.cancel(code.id, staff)).rejects.toMatchObject({
        code: 'CODE_EXPIRED',
        details: { reason: 'PAID' },
      });
    expect(await rowOf(code.id)).toEqual({ status: 'PAID', payment_id: null, look_at: null });
  });
});
