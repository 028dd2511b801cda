import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import decodeQR from 'qr/decode.js';
import { parseEmvco } from '../../../../connectors/emvco/emvco.codec.js';
import { HOUR, MINUTE } from '../../../../subgraphs/kernel/clock.js';
import { type CodeId, type MerchantId, newId } from '../../../../subgraphs/kernel/id.js';
import type { Principal } from '../../../../subgraphs/kernel/principal.js';
import { asker, codesOf } from '../../../support/ask.js';
import { firstStore, type MerchantsWorld, merchantsWorld, noodles, reasonsOf } from '../merchants.world.js';

let world: MerchantsWorld;
let skipped = 0;
beforeAll(async () => {
  world = await merchantsWorld(() => new Date(Date.now() + skipped));
});
afterEach(() => {
  world.wire.mode = 'PASS';
  skipped = 0;
});
afterAll(() => world.close());

const CREATE = `mutation ($input: CreatePaymentCodeInput!) { createPaymentCode(input: $input) {
  code { id network kind status payload amount { amount currencyCode } reference createdAt expiresAt paidAt image merchant { id name } }
} }`;
const CANCEL = 'mutation ($id: ID!) { cancelPaymentCode(input: { codeId: $id }) { code { id status } } }';
const CODE = 'query ($id: ID!) { paymentCode(id: $id) { id status } }';
const RESOLVE =
  'query ($payload: String!) { resolveCode(payload: $payload) { kind merchant { id } amount { amount } reference } }';

interface Code {
  id: string;
  payload: string;
  status: string;
  image: string;
  expiresAt: string | null;
  [field: string]: unknown;
}

const fifty = { amount: '50.00', currencyCode: 'CNY' };
let keys = 0;
function newKey(): string {
  keys += 1;
  return `create-code-${keys}`;
}

async function create(principal: Principal, input: object): Promise<Code> {
  const { data, errors } = await world.ask(principal, CREATE, { input });
  expect(errors).toBeUndefined();
  return (data as { createPaymentCode: { code: Code } }).createPaymentCode.code;
}

async function refused(principal: Principal, input: object) {
  const response = await world.ask(principal, CREATE, { input });
  expect(response.data ?? null).toBeNull();
  return reasonsOf(response);
}

async function member(): Promise<{ merchantId: MerchantId; staff: Principal }> {
  const merchantId = await world.merchant();
  return { merchantId, staff: asker.member(merchantId) };
}

const resolvedBy = async (payload: string) => world.ask(asker.traveler(newId('trv', 'us')), RESOLVE, { payload });

describe('A static code', () => {
  it('is an EMVCo payload that names the merchant at the network and our code, without an amount', async () => {
    const merchantId = await world.merchant(firstStore);
    const code = await create(asker.member(merchantId), { merchantId, reference: 'Table 7' });
    expect(code).toMatchObject({
      network: 'WECHAT_PAY',
      kind: 'STATIC',
      status: 'ACTIVE',
      amount: null,
      expiresAt: null,
    });
    expect(code).toMatchObject({ reference: 'Table 7', merchant: { id: merchantId, name: 'Chengdu Noodle House' } });
    const emvco = parseEmvco(code.payload);
    expect(Object.fromEntries(emvco.accounts.get('26') ?? [])).toEqual({
      '00': 'com.tenpay.wechatpay',
      '01': firstStore,
      '02': code.id,
    });
    expect(emvco).toMatchObject({ initiation: 'STATIC', currencyNumeric: '156', countryCode: 'CN', amount: null });
    expect(emvco).toMatchObject({ categoryCode: '5812', localized: { name: '成都小面馆' } });
  });

  it('is scanned by any traveler as often as they like, without asking the network', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, reference: 'Table 7' });
    world.wire.mode = 'DOWN';
    for (let times = 0; times < 2; times += 1) {
      const { data } = await resolvedBy(code.payload);
      expect(data).toEqual({
        resolveCode: { kind: 'STATIC', merchant: { id: merchantId }, amount: null, reference: 'Table 7' },
      });
    }
  });

  it('has an image that a camera reads', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId });
    expect(decodeQR(pixelsOf(code.image))).toBe(code.payload);
  });

  it.each(['Seventh table on the left side', '第七桌', 'Café 7'])(
    'leaves a reference that the payload cannot take in our records: %s',
    async (reference) => {
      const { merchantId, staff } = await member();
      const code = await create(staff, { merchantId, reference });
      expect(parseEmvco(code.payload).additional.size).toBe(0);
      expect((await resolvedBy(code.payload)).data).toMatchObject({ resolveCode: { reference } });
    },
  );
});

describe('A dynamic code', () => {
  it('is an order that the network knows before anyone sees the code (C1)', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: fifty, reference: 'Order 12' });
    expect(code).toMatchObject({ kind: 'DYNAMIC', status: 'ACTIVE', amount: fifty, reference: 'Order 12' });
    expect(code.payload).toMatch(/^weixin:\/\/wxpay\/bizpayurl/);
    const { orders } = await world.network.books();
    expect(orders).toContainEqual(expect.objectContaining({ amount: '50.00', currency: 'CNY', status: 'NOTPAY' }));
    const scanned = await world.network.wallet.userInitiatedPay({ codeValue: code.payload, customerId: 'someone' });
    expect(scanned).toMatchObject({ codeType: 'ORDER_CODE', amount: { minor: 5000n }, reference: code.id });
    expect(scanned.expiresAt?.toISOString()).toBe(code.expiresAt);
    expect(Date.parse(code.expiresAt ?? '') - Date.now()).toBeGreaterThan(2 * HOUR - MINUTE);
    expect(decodeQR(pixelsOf(code.image))).toBe(code.payload);
  });

  it('is scanned with its amount', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: { amount: '8', currencyCode: 'CNY' } });
    expect((await resolvedBy(code.payload)).data).toEqual({
      resolveCode: { kind: 'DYNAMIC', merchant: { id: merchantId }, amount: { amount: '8.00' }, reference: null },
    });
  });

  it('reads as expired once its time is over, and cannot be scanned', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: fifty });
    skipped = 2 * HOUR;
    expect((await world.ask(staff, CODE, { id: code.id })).data).toEqual({
      paymentCode: { id: code.id, status: 'EXPIRED' },
    });
    expect(reasonsOf(await resolvedBy(code.payload))).toEqual([['CODE_EXPIRED', 'EXPIRED']]);
    expect((await world.ask(staff, CANCEL, { id: code.id })).data).toMatchObject({
      cancelPaymentCode: { code: { status: 'EXPIRED' } },
    });
  });

  it('is made by an operator too', async () => {
    const { merchantId } = await member();
    expect(await create(asker.operator(), { merchantId, amount: fifty })).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('Making a code again with its idempotency key', () => {
  it('gives the same code, and the network has one order', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, reference: 'A', idempotencyKey: newKey() };
    const before = (await world.network.books()).orders.length;
    const first = await create(staff, input);
    expect(await create(staff, input)).toEqual(first);
    // The same amount, written in another way.
    expect(await create(staff, { ...input, amount: { ...fifty, amount: '50' } })).toEqual(first);
    expect((await world.network.books()).orders).toHaveLength(before + 1);
  });

  it('is refused when anything else is asked for', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, reference: 'A', idempotencyKey: newKey() };
    await create(staff, input);
    const others = [
      { amount: { ...fifty, amount: '50.01' } },
      { amount: null },
      { reference: 'B' },
      { reference: null },
    ];
    for (const other of others)
      expect(await refused(staff, { ...input, ...other })).toEqual([['IDEMPOTENCY_KEY_REUSED', undefined]]);
  });

  it('never meets the key of someone else', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, idempotencyKey: newKey() };
    const colleague = asker.member(merchantId);
    expect((await create(staff, input)).id).not.toBe((await create(colleague, input)).id);
  });

  it('makes one code and one order also when several ask at the same moment', async () => {
    const { merchantId, staff } = await member();
    const before = (await world.network.books()).orders.length;
    for (const amount of [fifty, null]) {
      const input = { merchantId, amount, idempotencyKey: newKey() };
      const codes = await Promise.all(Array.from({ length: 6 }, () => create(staff, input)));
      expect(new Set(codes.map(({ id, payload }) => `${id} ${payload}`)).size).toBe(1);
    }
    expect((await world.network.books()).orders).toHaveLength(before + 1);
    const rows = await world.sql('select kind from payment_code where merchant_id = $1 order by kind', [merchantId]);
    expect(rows).toEqual([{ kind: 'DYNAMIC' }, { kind: 'STATIC' }]);
  });

  it('without a key makes a second code', async () => {
    const { merchantId, staff } = await member();
    const [first, second] = [await create(staff, { merchantId }), await create(staff, { merchantId })];
    expect(first.id).not.toBe(second.id);
  });

  it.each(['', 'short', 'x'.repeat(129), 'with a blank', 'ключ-ключ'])('needs a usable key, not %j', async (key) => {
    const { merchantId, staff } = await member();
    expect(await refused(staff, { merchantId, idempotencyKey: key })).toEqual([['INVALID_IDEMPOTENCY_KEY', undefined]]);
  });
});

describe('A network that does not answer', () => {
  it('leaves nothing that anyone sees, says so, and the same request finishes the work', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, idempotencyKey: newKey() };
    world.wire.mode = 'DOWN';
    const response = await world.ask(staff, CREATE, { input });
    expect(response.errors?.[0]?.extensions).toMatchObject({ code: 'NETWORK_UNAVAILABLE', transient: true });
    const [row] = await world.sql('select id, status, payload, out_trade_no from payment_code where merchant_id = $1', [
      merchantId,
    ]);
    expect(row).toMatchObject({ status: 'REGISTERING', payload: null });
    expect(row?.['out_trade_no']).toBe(String(row?.['id']).replace('cod_cn_', 'cod_'));
    expect(codesOf(await world.ask(staff, CODE, { id: row?.['id'] }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await world.ask(staff, CANCEL, { id: row?.['id'] }))).toEqual(['NOT_FOUND']);

    world.wire.mode = 'PASS';
    expect(await create(staff, input)).toMatchObject({ id: row?.['id'], status: 'ACTIVE' });
  });

  it('after it took the order leads to one order, not two (C1)', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, idempotencyKey: newKey() };
    const before = (await world.network.books()).orders.length;
    world.wire.mode = 'LOSE_ANSWER';
    expect(await refused(staff, input)).toEqual([['NETWORK_UNAVAILABLE', undefined]]);
    expect((await world.network.books()).orders).toHaveLength(before + 1);
    world.wire.mode = 'PASS';
    const code = await create(staff, input);
    expect((await world.network.books()).orders).toHaveLength(before + 1);
    expect((await resolvedBy(code.payload)).data).toMatchObject({ resolveCode: { amount: { amount: '50.00' } } });
  });

  it('makes no code any more when the request is repeated after the order would be over', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, idempotencyKey: newKey() };
    world.wire.mode = 'DOWN';
    await refused(staff, input);
    world.wire.mode = 'PASS';
    skipped = 2 * HOUR;
    expect(await refused(staff, input)).toEqual([['CODE_EXPIRED', 'EXPIRED']]);
  });

  it('holds no database transaction meanwhile (C2)', async () => {
    const { merchantId, staff } = await member();
    world.wire.mode = 'DOWN';
    world.statements();
    await refused(staff, { merchantId, amount: fifty, idempotencyKey: newKey() });
    const statements = world.statements().filter((sql) => /^\[query\] (begin|commit|rollback)/.test(sql));
    expect(statements.map((sql) => sql.split(' ')[1])).toEqual(['begin', 'commit']);
  });

  it('refuses for good what it closed: repeating the request says the same', async () => {
    const { merchantId, staff } = await member();
    const input = { merchantId, amount: fifty, idempotencyKey: newKey() };
    world.wire.mode = 'LOSE_ANSWER';
    await refused(staff, input);
    world.wire.mode = 'PASS';
    const [row] = await world.sql(
      `select out_trade_no, network_merchant_id from payment_code join network_account using (merchant_id)
        where merchant_id = $1`,
      [merchantId],
    );
    await world.network.client.closeOrder(String(row?.['out_trade_no']), String(row?.['network_merchant_id']));
    for (let times = 0; times < 2; times += 1)
      expect(await refused(staff, input)).toEqual([['CODE_REFUSED', undefined]]);
  });
});

describe('A request for a code', () => {
  it.each([
    ['0', 'CNY'],
    ['0.00', 'CNY'],
    ['-5.00', 'CNY'],
    ['5.001', 'CNY'],
    ['500000.01', 'CNY'],
    ['9'.repeat(30), 'CNY'],
    ['1e3', 'CNY'],
    ['', 'CNY'],
    ['five', 'CNY'],
    ['５', 'CNY'],
    ['5.00', 'USD'],
    ['5', 'JPY'],
    ['5.00', 'cny'],
    ['5.00', 'ZZZ'],
  ])('asks for CNY, more than zero and no more than 500,000, exactly: not %s %s', async (amount, currencyCode) => {
    const { merchantId, staff } = await member();
    expect(await refused(staff, { merchantId, amount: { amount, currencyCode } })).toEqual([
      ['INVALID_MONEY', undefined],
    ]);
    expect(await world.sql('select 1 from payment_code where merchant_id = $1', [merchantId])).toEqual([]);
  });

  it('may ask for exactly 500,000', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: { amount: '500000', currencyCode: 'CNY' } });
    expect(code).toMatchObject({ amount: { amount: '500000.00' } });
  });

  it.each(['x'.repeat(65), 'a\u0000b', 'a\nb', 'a\u202eb', '\ud800'])(
    'has a printable reference, not %j',
    async (reference) => {
      const { merchantId, staff } = await member();
      expect(await refused(staff, { merchantId, reference })).toEqual([['INVALID_REFERENCE', undefined]]);
    },
  );

  it('takes a blank reference for none', async () => {
    const { merchantId, staff } = await member();
    expect(await create(staff, { merchantId, reference: '   ' })).toMatchObject({ reference: null });
  });

  it("is another merchant's to nobody: not theirs looks like not there (C8)", async () => {
    const { merchantId } = await member();
    const other = await member();
    const strangers = [
      other.staff,
      asker.traveler(newId('trv', 'us')),
      asker.partner(newId('ptr', 'us')),
      asker.payments,
    ];
    for (const stranger of strangers) {
      expect(await refused(stranger, { merchantId })).toEqual([['NOT_FOUND', undefined]]);
      expect(await refused(stranger, { merchantId: newId('mer', 'cn') })).toEqual([['NOT_FOUND', undefined]]);
    }
    expect(await refused(asker.stranger, { merchantId })).toEqual([['UNAUTHENTICATED', undefined]]);
    expect(await refused(asker.operator(), { merchantId: newId('mer', 'cn') })).toEqual([['NOT_FOUND', undefined]]);
    expect(await refused(asker.operator(), { merchantId: newId('cod', 'cn') })).toEqual([['INVALID_ID', undefined]]);
  });

  it('needs a merchant in a country that the network is paid in', async () => {
    const id = newId('mer', 'cn');
    const accounts = [{ network: 'WECHAT_PAY', networkMerchantId: '1700000001' }] as const;
    await world.merchants.services.merchants.register({ id, ...noodles, countryCode: 'HK', accounts });
    for (const amount of [fifty, null])
      expect(await refused(asker.member(id), { merchantId: id, amount })).toEqual([['MARKET_NOT_LIVE', undefined]]);
  });

  it('needs a merchant that is on the network', async () => {
    const id = newId('mer', 'cn');
    await world.merchants.services.merchants.register({ id, ...noodles, accounts: [] });
    expect(await refused(asker.member(id), { merchantId: id })).toEqual([['MERCHANT_NOT_ON_NETWORK', undefined]]);
  });
});

describe('Cancelling a code', () => {
  it('closes a static code', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId });
    for (let times = 0; times < 2; times += 1)
      expect((await world.ask(staff, CANCEL, { id: code.id })).data).toEqual({
        cancelPaymentCode: { code: { id: code.id, status: 'CLOSED' } },
      });
    expect(reasonsOf(await resolvedBy(code.payload))).toEqual([['CODE_EXPIRED', 'CLOSED']]);
  });

  it('closes an order at the network too', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: fifty });
    await world.ask(staff, CANCEL, { id: code.id });
    await expect(
      world.network.wallet.userInitiatedPay({ codeValue: code.payload, customerId: 'someone' }),
    ).rejects.toMatchObject({ code: 'ORDER_CLOSED' });
  });

  it('changes nothing here while the network does not answer (C5)', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: fifty });
    world.wire.mode = 'DOWN';
    expect(codesOf(await world.ask(staff, CANCEL, { id: code.id }))).toEqual(['NETWORK_UNAVAILABLE']);
    expect((await world.ask(staff, CODE, { id: code.id })).data).toMatchObject({ paymentCode: { status: 'ACTIVE' } });
    world.wire.mode = 'LOSE_ANSWER';
    expect(codesOf(await world.ask(staff, CANCEL, { id: code.id }))).toEqual(['NETWORK_UNAVAILABLE']);
    world.wire.mode = 'PASS';
    expect((await world.ask(staff, CANCEL, { id: code.id })).data).toMatchObject({
      cancelPaymentCode: { code: { status: 'CLOSED' } },
    });
  });

  it('is too late when the network says that it was paid, also before we heard of it', async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId, amount: fifty });
    await world.network.wallet.pay(world.network.payRequest(code.payload));
    expect(reasonsOf(await world.ask(staff, CANCEL, { id: code.id }))).toEqual([['CODE_EXPIRED', 'PAID']]);
    await world.merchants.services.codes.markPaid(code.id as CodeId, newId('pay', 'us'));
    world.wire.mode = 'DOWN';
    expect(reasonsOf(await world.ask(staff, CANCEL, { id: code.id }))).toEqual([['CODE_EXPIRED', 'PAID']]);
  });

  it('at the moment in which it is paid never loses the payment (C6)', async () => {
    for (let times = 0; times < 5; times += 1) {
      const { merchantId, staff } = await member();
      const code = await create(staff, { merchantId, amount: fifty });
      const paymentId = newId('pay', 'us');
      await Promise.allSettled([
        world.ask(staff, CANCEL, { id: code.id }),
        world.merchants.services.codes.markPaid(code.id as CodeId, paymentId),
      ]);
      const rows = await world.sql('select status, payment_id from payment_code where id = $1', [code.id]);
      expect(rows).toEqual([{ status: 'PAID', payment_id: paymentId }]);
    }
  });

  it("is for the merchant's members and operators", async () => {
    const { merchantId, staff } = await member();
    const code = await create(staff, { merchantId });
    const other = await member();
    for (const query of [CANCEL, CODE]) {
      for (const stranger of [other.staff, asker.traveler(newId('trv', 'us'))]) {
        const existing = await world.ask(stranger, query, { id: code.id });
        expect(codesOf(existing)).toEqual(['NOT_FOUND']);
        expect(existing).toEqual(await world.ask(stranger, query, { id: newId('cod', 'cn') }));
      }
      expect(codesOf(await world.ask(asker.stranger, query, { id: code.id }))).toEqual(['UNAUTHENTICATED']);
      expect(codesOf(await world.ask(asker.stranger, query, { id: 'x' }))).toEqual(['UNAUTHENTICATED']);
      expect(codesOf(await world.ask(staff, query, { id: 'x' }))).toEqual(['INVALID_ID']);
    }
    expect((await world.ask(asker.operator(), CANCEL, { id: code.id })).errors).toBeUndefined();
  });
});

/** The SVG as a camera would see it. */
function pixelsOf(svg: string) {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (const [, x, y, width, height] of svg.matchAll(/M(\d+),(\d+)h(\d+)v(\d+)/g))
    for (let row = Number(y); row < Number(y) + Number(height); row += 1)
      for (let column = Number(x); column < Number(x) + Number(width); column += 1)
        data.fill(0, (row * size + column) * 4, (row * size + column) * 4 + 3);
  return { width: size, height: size, data };
}
