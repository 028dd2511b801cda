import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { buildEmvco, parseEmvco } from '../../../../connectors/emvco/emvco.codec.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { networkMerchantIdOf } from '../../../../subgraphs/merchants/merchant/network-merchant-id.js';
import { asker, codesOf } from '../../../support/ask.js';
import {
  firstStore,
  type MerchantsWorld,
  merchantsWorld,
  noodles,
  reasonsOf,
  strangersStore,
} from '../merchants.world.js';

let world: MerchantsWorld;
beforeAll(async () => {
  world = await merchantsWorld();
});
afterEach(() => {
  world.wire.mode = 'PASS';
});
afterAll(() => world.close());

const RESOLVE = `query ResolveCode($payload: String!) {
  resolveCode(payload: $payload) { network kind merchant { id name localName categoryCode city } amount { amount currencyCode } reference expiresAt }
}`;
const CHECKOUT = `query ($payload: String!) { checkoutCode(payload: $payload) {
  network kind merchantId merchantName networkMerchantId countryCode amount { amount currencyCode } currencyCode reference expiresAt codeId
} }`;

const traveler = asker.traveler(newId('trv', 'us'));
const resolve = (payload: string) => world.ask(traveler, RESOLVE, { payload });

/** An EMVCo text of WeChat Pay as someone else would print it. */
function emvco(change: Partial<Parameters<typeof buildEmvco>[0]> = {}, account: Record<string, string> = {}): string {
  return buildEmvco({
    initiation: 'STATIC',
    primitiveAccounts: new Map(),
    accounts: new Map([
      ['26', new Map(Object.entries({ '00': 'com.tenpay.wechatpay', '01': strangersStore.merchantId, ...account }))],
    ]),
    categoryCode: '5942',
    currencyNumeric: '156',
    amount: null,
    countryCode: 'CN',
    merchantName: 'Panda Bookshop',
    city: 'Chengdu',
    postalCode: null,
    additional: new Map(),
    localized: null,
    others: new Map(),
    ...change,
  });
}

const panda = {
  id: networkMerchantIdOf('WECHAT_PAY', strangersStore.merchantId),
  name: 'Panda Bookshop',
  localName: '熊猫书店',
  categoryCode: '5942',
  city: 'Chengdu',
};

describe('A code that only the network knows', () => {
  it('is its merchant by name, recorded under an id that everyone derives alike (C7)', async () => {
    const scans = await Promise.all(strangersStore.codes.flatMap((code) => [resolve(code), resolve(` ${code}\n`)]));
    for (const { data, errors } of scans) {
      expect(errors).toBeUndefined();
      expect(data).toEqual({
        resolveCode: {
          network: 'WECHAT_PAY',
          kind: 'STATIC',
          merchant: panda,
          amount: null,
          reference: null,
          expiresAt: null,
        },
      });
    }
    const { data } = await world.ask(traveler, 'query ($id: ID!) { merchant(id: $id) { name } }', { id: panda.id });
    expect(data).toEqual({ merchant: { name: 'Panda Bookshop' } });
    expect(await world.sql('select origin from merchant where id = $1', [panda.id])).toEqual([{ origin: 'NETWORK' }]);
  });

  it('is an order with its amount', async () => {
    const { codeUrl } = await world.network.order('someone-elses-1', '12.30', strangersStore.merchantId);
    const { data } = await resolve(codeUrl);
    expect(data).toMatchObject({
      resolveCode: { kind: 'DYNAMIC', merchant: panda, amount: { amount: '12.30', currencyCode: 'CNY' } },
    });
  });

  it('may be an EMVCo text; one that carries an amount leaves nothing to type', async () => {
    expect((await resolve(emvco())).data).toMatchObject({ resolveCode: { kind: 'STATIC', merchant: panda } });
    const fixed = await resolve(emvco({ amount: '5.00', initiation: 'DYNAMIC' }));
    expect(fixed.data).toMatchObject({ resolveCode: { kind: 'DYNAMIC', amount: { amount: '5.00' } } });
  });

  it('belongs to a merchant of ours when it is registered with that number; what is registered wins', async () => {
    const id = await world.merchant(firstStore);
    const { data } = await resolve('wxp://store-0');
    expect(data).toMatchObject({ resolveCode: { merchant: { id, name: noodles.name } } });
  });

  it('that is over says why', async () => {
    const { codeUrl } = await world.network.order('paid-elsewhere', '50.00', strangersStore.merchantId);
    await world.network.wallet.pay(world.network.payRequest(codeUrl));
    expect(reasonsOf(await resolve(codeUrl))).toEqual([['CODE_EXPIRED', 'PAID']]);
    const closed = await world.network.order('closed-elsewhere', '50.00', strangersStore.merchantId);
    await world.network.client.closeOrder('closed-elsewhere', strangersStore.merchantId);
    expect(reasonsOf(await resolve(closed.codeUrl))).toEqual([['CODE_EXPIRED', 'CLOSED']]);
  });

  it('cannot be said while the network does not answer, and that passes', async () => {
    for (const mode of ['DOWN', 'LOSE_ANSWER'] as const) {
      world.wire.mode = mode;
      const { errors } = await resolve('wxp://f2f0panda');
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'NETWORK_UNAVAILABLE', transient: true });
      expect(JSON.stringify(errors)).not.toContain('127.0.0.1');
    }
    world.wire.mode = 'PASS';
    expect((await resolve('wxp://f2f0panda')).errors).toBeUndefined();
  });
});

describe('A code of ours', () => {
  it('that the network printed and we keep is found without asking the network (C3)', async () => {
    const merchantId = await world.merchant();
    const code = { id: newId('cod', 'cn'), merchantId, payload: 'wxp://kept-by-us', reference: 'Counter 2' };
    const adopt = () => world.merchants.services.codes.adopt(code);
    await Promise.all([adopt(), adopt(), adopt()]);
    world.wire.mode = 'DOWN';
    const { data } = await resolve('wxp://kept-by-us');
    expect(data).toMatchObject({
      resolveCode: { kind: 'STATIC', merchant: { id: merchantId }, reference: 'Counter 2' },
    });
  });

  it('of a merchant in a country that is not served yet says so', async () => {
    const { merchants, codes } = world.merchants.services;
    const id = newId('mer', 'cn');
    const accounts = [{ network: 'WECHAT_PAY', networkMerchantId: '1700000002' }] as const;
    await merchants.register({ id, ...noodles, countryCode: 'HK', accounts });
    await codes.adopt({ id: newId('cod', 'cn'), merchantId: id, payload: 'wxp://hong-kong', reference: null });
    expect(codesOf(await resolve('wxp://hong-kong'))).toEqual(['MARKET_NOT_LIVE']);
    expect(codesOf(await world.ask(asker.payments, CHECKOUT, { payload: 'wxp://hong-kong' }))).toEqual([
      'MARKET_NOT_LIVE',
    ]);
  });

  it('is kept only for a merchant that exists, and only if it is a code', async () => {
    const { codes } = world.merchants.services;
    const code = { id: newId('cod', 'cn'), merchantId: newId('mer', 'cn'), payload: 'wxp://x', reference: null };
    await expect(codes.adopt(code)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.merchants.services.merchants.register({ id: code.merchantId, ...noodles, accounts: [] });
    await expect(codes.adopt(code)).rejects.toMatchObject({ code: 'MERCHANT_NOT_ON_NETWORK' });
    await expect(codes.adopt({ ...code, payload: 'hello' })).rejects.toMatchObject({ code: 'INVALID_CODE' });
    await expect(codes.adopt({ ...code, payload: emvco({}, { '02': newId('cod', 'cn') }) })).rejects.toThrow(
      'that code',
    );
  });

  it('is tampered with when a copy names another merchant or an amount, whatever its checksum (C4)', async () => {
    const merchantId = await world.merchant();
    const code = await world.merchants.services.codes.create(
      { merchantId, amount: null, reference: null, idempotencyKey: null },
      asker.member(merchantId),
    );
    const original = parseEmvco(code.payload ?? '');
    const account = new Map(original.accounts.get('26'));
    const copies = [
      { ...original, amount: '9999.00' },
      { ...original, merchantName: 'Someone else' },
      { ...original, accounts: new Map([['26', new Map([...account, ['01', strangersStore.merchantId]])]]) },
    ];
    expect((await resolve(buildEmvco(original))).errors).toBeUndefined();
    for (const copy of copies)
      expect(reasonsOf(await resolve(buildEmvco(copy)))).toEqual([['INVALID_CODE', 'TAMPERED']]);
  });

  it('that we never made is unknown, and the network is not asked', async () => {
    const calls = world.wire.calls.length;
    expect(reasonsOf(await resolve(emvco({}, { '02': newId('cod', 'cn') })))).toEqual([['INVALID_CODE', 'UNKNOWN']]);
    expect(reasonsOf(await resolve(emvco({}, { '02': "'; drop table" })))).toEqual([['INVALID_CODE', 'UNKNOWN']]);
    expect(world.wire.calls).toHaveLength(calls);
  });
});

describe('A text that is no code we can pay', () => {
  const valid = emvco();
  const flipped = valid.replace('Panda', 'Pansa');

  it.each([
    ['nothing', ''],
    ['blanks', '  \n '],
    ['prose', 'hello'],
    ['a web page', 'https://example.com/menu'],
    ['a script', 'javascript:alert(1)'],
    ['a bare prefix', 'wxp://'],
    ['a bare prefix of an order', 'weixin://wxpay/bizpayurl'],
    ['another action of the app', 'weixin://dl/business'],
    ['blanks inside', 'wxp://f2f0 panda'],
    ['a control character', 'wxp://f2f0\u0000panda'],
    ['letters that only look alike', 'wxp://f2f0pandа'],
    ['too long a text', `wxp://${'x'.repeat(600)}`],
    ['a wallet’s own number', '134567890123456789'],
    ['a cut EMVCo text', valid.slice(0, 40)],
    ['EMVCo without a checksum', valid.slice(0, -8)],
    ['EMVCo with a wrong merchant number', emvco({}, { '01': 'not-digits' })],
    ['a lone surrogate', 'wxp://\ud800'],
  ])('is malformed: %s', async (_, payload) => {
    expect(reasonsOf(await resolve(payload))).toEqual([['INVALID_CODE', 'MALFORMED']]);
  });

  it.each([
    ['the checksum replaced', `${valid.slice(0, -4)}${valid.endsWith('0000') ? '1111' : '0000'}`],
    ['a character changed', flipped],
  ])('is tampered with: %s', async (_, payload) => {
    expect(reasonsOf(await resolve(payload))).toEqual([['INVALID_CODE', 'TAMPERED']]);
  });

  it.each([
    ['Alipay', 'https://qr.alipay.com/fkx12345'],
    ['UnionPay', 'https://qr.95516.com/00010000/6218'],
    [
      'a UnionPay merchant in Phnom Penh',
      '00020101021252044131153137210116372101160123456789ABCDE6010Phnom Penh5913Merchant Shop5802KH540510.005303840622501081234567802090124444446304A0BA',
    ],
    ['a WeChat Pay template in another country', emvco({ countryCode: 'HK' })],
    ['a WeChat Pay template in another currency', emvco({ currencyNumeric: '344' })],
    ['another network in China', emvco({}, { '00': 'com.alipay' })],
  ])('is foreign: %s', async (_, payload) => {
    expect(reasonsOf(await resolve(payload))).toEqual([['INVALID_CODE', 'FOREIGN']]);
  });

  it('is unknown when the network does not know it either', async () => {
    for (const payload of ['wxp://f2f0nobody', 'weixin://wxpay/bizpayurl?pr=nobody', emvco({}, { '01': '999' })])
      expect(reasonsOf(await resolve(payload))).toEqual([['INVALID_CODE', 'UNKNOWN']]);
  });
});

describe('What payments asks of a code', () => {
  it('is all that a checkout needs: of a code of ours', async () => {
    const merchantId = await world.merchant();
    const amount = { amount: '50.00', currencyCode: 'CNY' };
    const create = `mutation ($input: CreatePaymentCodeInput!) { createPaymentCode(input: $input) { code { id payload expiresAt } } }`;
    const made = await world.ask(asker.member(merchantId), create, { input: { merchantId, amount, reference: 'R' } });
    const { code } = (made.data as { createPaymentCode: { code: { id: string; payload: string; expiresAt: string } } })
      .createPaymentCode;
    const { data, errors } = await world.ask(asker.payments, CHECKOUT, { payload: code.payload });
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      checkoutCode: {
        network: 'WECHAT_PAY',
        kind: 'DYNAMIC',
        merchantId,
        merchantName: noodles.name,
        networkMerchantId: expect.stringMatching(/^16000000\d\d$/),
        countryCode: 'CN',
        amount,
        currencyCode: 'CNY',
        reference: 'R',
        expiresAt: code.expiresAt,
        codeId: code.id,
      },
    });
  });

  it('is all that a checkout needs: of a code that only the network knows', async () => {
    const { data } = await world.ask(asker.payments, CHECKOUT, { payload: 'wxp://f2f0panda' });
    expect(data).toEqual({
      checkoutCode: {
        network: 'WECHAT_PAY',
        kind: 'STATIC',
        merchantId: panda.id,
        merchantName: 'Panda Bookshop',
        networkMerchantId: strangersStore.merchantId,
        countryCode: 'CN',
        amount: null,
        currencyCode: 'CNY',
        reference: null,
        expiresAt: null,
        codeId: null,
      },
    });
  });

  it('is refused in the same words', async () => {
    const refusals = [
      ['hello', ['INVALID_CODE', 'MALFORMED']],
      ['https://qr.alipay.com/x', ['INVALID_CODE', 'FOREIGN']],
      ['wxp://nobody', ['INVALID_CODE', 'UNKNOWN']],
    ] as const;
    for (const [payload, reason] of refusals)
      expect(reasonsOf(await world.ask(asker.payments, CHECKOUT, { payload }))).toEqual([reason]);
  });

  it('is answered to nobody else', async () => {
    for (const other of [asker.stranger, traveler, asker.operator()])
      expect(codesOf(await world.ask(other, CHECKOUT, { payload: 'wxp://f2f0panda' }))).toEqual(['FORBIDDEN']);
  });
});

describe('Scanning', () => {
  it('is for everyone who is signed in', async () => {
    for (const known of [asker.member(newId('mer', 'cn')), asker.partner(newId('ptr', 'us')), asker.operator()])
      expect((await world.ask(known, RESOLVE, { payload: 'wxp://f2f0panda' })).errors).toBeUndefined();
    const stranger = await world.ask(asker.stranger, RESOLVE, { payload: 'wxp://f2f0panda' });
    expect(codesOf(stranger)).toEqual(['UNAUTHENTICATED']);
  });
});
