import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WechatPayClient } from '../../../../connectors/wechat-pay/wechat-pay.client.js';
import { WechatPayWalletClient } from '../../../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { WechatPayNetwork } from '../../../../subgraphs/merchants/code/wechat-pay.client.js';
import {
  configurationFor,
  PLATFORM_SERIAL,
  platformKeys,
  Rogue,
  strangerKeys,
} from '../../../connectors/wechat-pay/network.fixture.js';

let host: Rogue;
let network: WechatPayNetwork;
let close: () => Promise<void>;
beforeAll(async () => {
  host = await Rogue.start();
  const platformKey = { serial: PLATFORM_SERIAL, key: platformKeys.publicKey };
  const configuration = configurationFor(host.url, { platformKey, deadlineMs: 300 });
  const [merchant, wallet] = [new WechatPayClient(configuration), new WechatPayWalletClient(configuration)];
  network = new WechatPayNetwork(merchant, wallet, 'https://sojourn.example/notifications/wechat-pay/orders');
  close = async () => {
    await Promise.all([merchant.close(), wallet.close()]);
    await host.stop();
  };
});
afterAll(() => close());

const refusal = (status: number, code: string) => host.answers(status, { code, message: '…' });
const register = () =>
  network.register({
    outTradeNo: 'cod_0123456789',
    codeId: newId('cod', 'cn'),
    networkMerchantId: '1600000000',
    description: 'Tea',
    amount: Money.parse('5', 'CNY'),
    expiresAt: new Date(Date.now() + 60_000),
  });
const closeOrder = () => network.close('cod_0123456789', '1600000000');
const identify = () => network.identify('wxp://f2f0');

const merchant = {
  sub_mchid: '1600000000',
  name: 'Tea',
  local_name: '茶',
  category_code: '5812',
  city: 'Chengdu',
  country_code: 'CN',
};

describe('What became of an order', () => {
  const order = { sub_mchid: '1600000000', out_trade_no: 'cod_0123456789', amount: { total: 500, currency: 'CNY' } };
  const inquire = () => network.inquire('cod_0123456789', '1600000000');

  it.each([
    ['NOTPAY', 'OPEN'],
    ['USERPAYING', 'OPEN'],
    ['PAYERROR', 'OPEN'],
    ['SUCCESS', 'PAID'],
    ['REFUND', 'PAID'],
    ['CLOSED', 'CLOSED'],
    ['REVOKED', 'CLOSED'],
  ])('is, where it says %s, %s', async (trade_state, state) => {
    host.answers(200, { ...order, trade_state, transaction_id: '4200000001' });
    expect(await inquire()).toBe(state);
  });

  it('is CLOSED where it knows no such order: nobody can pay that', async () => {
    refusal(404, 'ORDER_NOT_EXIST');
    expect(await inquire()).toBe('CLOSED');
  });

  it('is not known where it says nothing that can be believed', async () => {
    refusal(500, 'SYSTEM_ERROR');
    await expect(inquire()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
    host.answers(200, { ...order, out_trade_no: 'another', trade_state: 'SUCCESS', transaction_id: '1' });
    await expect(inquire()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
  });
});

describe('What WeChat Pay answers', () => {
  it.each([
    [429, 'FREQUENCY_LIMITED'],
    [429, 'RATE_LIMITED'],
    [400, 'USERPAYING'],
    [500, 'SYSTEM_ERROR'],
    [503, 'SYSTEM_ERROR'],
  ])('%i %s decides nothing: unavailable for now', async (status, code) => {
    refusal(status, code);
    for (const call of [register, closeOrder, identify])
      await expect(call()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE', transient: true });
  });

  it('decides nothing when it cannot be verified or understood', async () => {
    host.answers(200, { code_type: 'STORE_CODE', merchant }, { key: strangerKeys.privateKey });
    await expect(identify()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
    host.answers(404, { code: 'CODE_INVALID' }, { key: strangerKeys.privateKey });
    await expect(identify()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
    host.answers(200, '<html>');
    await expect(register()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
    host.answer = () => undefined;
    await expect(register()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
  });

  it('says of a scanned code why it is over, or that there is none', async () => {
    for (const [code, reason] of [
      ['CODE_EXPIRED', 'EXPIRED'],
      ['ORDER_CLOSED', 'CLOSED'],
      ['ORDER_ALREADY_PAID', 'PAID'],
    ] as const) {
      refusal(400, code);
      await expect(identify()).rejects.toMatchObject({ code: 'CODE_EXPIRED', details: { reason } });
    }
    refusal(404, 'CODE_INVALID');
    await expect(identify()).resolves.toBeNull();
  });

  it('is no answer when an order has no amount', async () => {
    host.answers(200, { code_type: 'ORDER_CODE', merchant });
    await expect(identify()).rejects.toMatchObject({ code: 'NETWORK_UNAVAILABLE' });
  });

  it('says of a closed order whether it was paid', async () => {
    host.answers(204, '');
    await expect(closeOrder()).resolves.toBe(true);
    for (const [status, code, closed] of [
      [400, 'ORDER_CLOSED', true],
      [404, 'ORDER_NOT_EXIST', true],
      [400, 'ORDERPAID', false],
    ] as const) {
      refusal(status, code);
      await expect(closeOrder()).resolves.toBe(closed);
    }
  });

  it('refuses an order for good', async () => {
    for (const code of ['ORDER_CLOSED', 'RULE_LIMIT', 'ORDERPAID']) {
      refusal(400, code);
      await expect(register()).rejects.toMatchObject({ code: 'CODE_REFUSED' });
    }
  });

  it('of nonsense that we asked is an error of ours, not one for clients', async () => {
    for (const code of ['PARAM_ERROR', 'SIGN_ERROR', 'NO_AUTH', 'A_NEW_CODE']) {
      refusal(403, code);
      for (const call of [register, closeOrder, identify])
        await expect(call()).rejects.toMatchObject({ name: 'WechatPayRefusal', code });
    }
  });
});

describe('What WeChat Pay is told', () => {
  it('of a scan names no payer', async () => {
    host.answers(200, { code_type: 'STORE_CODE', merchant });
    await identify();
    expect(JSON.parse(host.requests.at(-1)?.body ?? '')).toMatchObject({
      code_value: 'wxp://f2f0',
      customer_id: 'sojourn',
    });
  });

  it('of an order is its number, our code and where to report', async () => {
    host.answers(200, { code_url: 'weixin://wxpay/bizpayurl?pr=x' });
    await expect(register()).resolves.toBe('weixin://wxpay/bizpayurl?pr=x');
    expect(JSON.parse(host.requests.at(-1)?.body ?? '')).toMatchObject({
      out_trade_no: 'cod_0123456789',
      sub_mchid: '1600000000',
      attach: expect.stringMatching(/^cod_cn_/),
      notify_url: 'https://sojourn.example/notifications/wechat-pay/orders',
      amount: { total: 500, currency: 'CNY' },
    });
  });
});
