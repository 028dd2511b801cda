import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';
import { secretsIn } from '../../local/secrets.js';
import { seededCodes } from '../../local/seed.codes.js';
import { daniel, identities, maya } from '../../local/seed.identities.js';
import { DevelopmentIssuer } from '../../local/tokens.js';
import { newId } from '../../subgraphs/kernel/id.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import { newSigningKey, PRINCIPAL_HEADER, PrincipalSigner } from '../../subgraphs/kernel/principal.token.js';
import { type DocumentName, documents } from '../support/documents.js';
import { type Answer, type AnswerError, type Asker, RunningGraph } from '../support/graph.js';
import { bookedFor, discrepanciesOf, expectedFor, readBooks } from '../support/outside-books.js';
import {
  type CheckoutAnswer,
  checkout,
  confirm,
  eventually,
  type PaymentAnswer,
  pay,
  paymentOf,
  refund,
  settled,
  storeOf,
  yuan,
} from '../support/shopping.js';
import { root } from '../support/sources.js';

let graph: RunningGraph;
let issuer: DevelopmentIssuer;
let payment: PaymentAnswer;
let dynamic: { id: string; payload: string };

/** All errors that any request of this file was answered with. */
const seen: AnswerError[] = [];

beforeAll(async () => {
  graph = await RunningGraph.start();
  issuer = await DevelopmentIssuer.create(
    `${graph.url}/dev`,
    (await secretsIn(join(graph.folder, 'secrets.json'))).issuer,
  );
  payment = await settled(graph, await pay(graph, 'ok', '50.00'));
  dynamic = await newCode();
});
afterAll(() => graph.remove());

async function ask(
  asker: Asker,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<Record<string, unknown>>> {
  const answer = await graph.ask<Record<string, unknown>>(asker, query, variables, headers);
  seen.push(...(answer.errors ?? []));
  return answer;
}

/** The codes of the errors; nothing when it succeeded. */
async function codes(...request: Parameters<typeof ask>): Promise<unknown[]> {
  return ((await ask(...request)).errors ?? []).map(({ extensions }) => extensions?.code);
}

const run = (asker: Asker, name: DocumentName, variables: Readonly<Record<string, unknown>>) =>
  ask(asker, documents.read(name), variables);

const codesOf = (asker: Asker, name: DocumentName, variables: Readonly<Record<string, unknown>>) =>
  codes(asker, documents.read(name), variables);

async function newCode() {
  const input = { merchantId: storeOf('ok').merchantId, amount: yuan('12.00'), reference: null };
  type Created = { createPaymentCode: { code: { id: string; payload: string } } };
  return (await graph.run<Created>('merchant', 'create-code', { input })).createPaymentCode.code;
}

function startInput(changes: Readonly<Record<string, unknown>> = {}) {
  const code = storeOf('ok').payload;
  return { input: { code, amount: yuan('10.00'), walletId: maya.walletId, idempotencyKey: randomUUID(), ...changes } };
}

function refundInput(changes: Readonly<Record<string, unknown>> = {}) {
  const base = { paymentId: payment.id, amount: yuan('1.00'), reason: 'Cold', idempotencyKey: randomUUID() };
  return { input: { ...base, ...changes } };
}

const emvco = seededCodes.find(({ payload }) => payload.startsWith('000201'))?.payload ?? '';

describe('A code', () => {
  it.each([
    ['empty', '', 'MALFORMED'],
    ['a sentence', 'pay me', 'MALFORMED'],
    ['SQL', "wxp://' or 1=1; drop table payment_code --", 'MALFORMED'],
    ['far too long', `wxp://${'x'.repeat(100_000)}`, 'MALFORMED'],
    ['half of an EMVCo code', emvco.slice(0, 60), 'MALFORMED'],
    ['an EMVCo code with another name on it', emvco.replace('Jinli', 'Ginli'), 'TAMPERED'],
    ['an EMVCo code with another checksum', `${emvco.slice(0, -4)}0000`, 'TAMPERED'],
    ['of Alipay', 'https://qr.alipay.com/bax01234567890', 'FOREIGN'],
    ['of a merchant whom nobody knows', 'wxp://f2f0nobodyknowsthiscode', 'UNKNOWN'],
    ['of an order that nobody knows', 'weixin://wxpay/bizpayurl?pr=nobody', 'UNKNOWN'],
  ])('that is %s is INVALID_CODE, when it is resolved and when it is paid', async (_what, payload, reason) => {
    const expected = { code: 'INVALID_CODE', details: { reason } };
    const resolved = await run('traveler', 'resolve-code', { payload });
    expect(resolved.errors?.[0]?.extensions).toMatchObject(expected);
    const started = await run('traveler', 'start-checkout', startInput({ code: payload }));
    expect(started.errors?.[0]?.extensions).toMatchObject(expected);
    expect(started.data ?? null).toBeNull();
  });

  it('that its merchant cancelled is CODE_EXPIRED', async () => {
    const { id, payload } = await newCode();
    const cancel = 'mutation ($id: ID!) { cancelPaymentCode(input: { codeId: $id }) { code { status } } }';
    expect((await ask('merchant', cancel, { id })).data).toEqual({ cancelPaymentCode: { code: { status: 'CLOSED' } } });
    const { errors } = await run('traveler', 'resolve-code', { payload });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'CODE_EXPIRED', details: { reason: 'CLOSED' } });
  });
});

describe('Money', () => {
  it.each([
    '0.00',
    '0',
    '-5.00',
    '1.001',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    'ten',
    '',
    ' 1.00',
    '1,50',
    '1.',
    '.5',
    '+1',
    '１０.００',
    '9'.repeat(40),
    '99999999999999999.99',
  ])('%j in CNY is refused before anything is written', async (amount) => {
    const money = { amount, currencyCode: 'CNY' };
    expect(await codesOf('traveler', 'start-checkout', startInput({ amount: money }))).toEqual(['INVALID_MONEY']);
    expect(await codesOf('merchant', 'refund', refundInput({ amount: money }))).toEqual(['INVALID_MONEY']);
  });

  it.each(['USD', 'JPY', 'EUR'])('in %s cannot pay a code in CNY, nor be refunded', async (currencyCode) => {
    const money = { amount: '10', currencyCode };
    expect(await codesOf('traveler', 'start-checkout', startInput({ amount: money }))).toEqual(['INVALID_MONEY']);
    expect(await codesOf('merchant', 'refund', refundInput({ amount: money }))).toEqual(['INVALID_MONEY']);
  });

  it.each(['XYZ', 'usd', '', 'US$'])('in %j is in no currency at all', async (currencyCode) => {
    const money = { amount: '10.00', currencyCode };
    const [code] = await codesOf('traveler', 'start-checkout', startInput({ amount: money }));
    expect(['INVALID_CURRENCY', 'INVALID_MONEY', 'BAD_USER_INPUT']).toContain(code);
  });

  it('is a string, never a float', async () => {
    const money = { amount: 12.5, currencyCode: 'CNY' };
    const [code] = await codesOf('traveler', 'start-checkout', startInput({ amount: money }));
    expect(['INVALID_MONEY', 'BAD_USER_INPUT']).toContain(code);
  });

  it('is required where a code leaves it open, and refused where the code brings it', async () => {
    expect(await codesOf('traveler', 'start-checkout', startInput({ amount: null }))).toEqual(['AMOUNT_REQUIRED']);
    const input = startInput({ code: dynamic.payload });
    expect(await codesOf('traveler', 'start-checkout', input)).toEqual(['AMOUNT_NOT_ALLOWED']);
  });

  it('has a limit per payment, with what it is', async () => {
    const { errors } = await run('traveler', 'start-checkout', startInput({ amount: yuan('90000.00') }));
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'SPENDING_LIMIT_EXCEEDED',
      details: { window: 'PAYMENT', limitAmount: '5000.00', limitCurrency: 'USD' },
    });
  });
});

describe('An id', () => {
  it.each([
    '',
    'x',
    '1',
    "pay_us_'; drop table payment",
    'pay_us_00000000000000000000000000000',
    '../../etc/passwd',
    '\u0000',
  ])('%j is INVALID_ID', async (id) => {
    expect(await codesOf('traveler', 'payment', { id })).toEqual(['INVALID_ID']);
    expect(await codesOf('merchant', 'merchant-history', { merchantId: id, first: 1 })).toEqual(['INVALID_ID']);
    expect(await codesOf('traveler', 'cancel', { input: { checkoutId: id } })).toEqual(['INVALID_ID']);
    expect(await codesOf('traveler', 'start-checkout', startInput({ walletId: id }))).toEqual(['INVALID_ID']);
    expect(await codesOf('merchant', 'refund', refundInput({ paymentId: id }))).toEqual(['INVALID_ID']);
  });

  it('of another kind is INVALID_ID too', async () => {
    const { merchantId } = storeOf('ok');
    expect(await codesOf('traveler', 'payment', { id: merchantId })).toEqual(['INVALID_ID']);
    expect(await codesOf('merchant', 'merchant-history', { merchantId: payment.id, first: 1 })).toEqual(['INVALID_ID']);
    expect(await codesOf('traveler', 'start-checkout', startInput({ walletId: merchantId }))).toEqual(['INVALID_ID']);
    const input = { checkoutId: payment.id, idempotencyKey: randomUUID() };
    expect(await codesOf('traveler', 'confirm-checkout', { input })).toEqual(['INVALID_ID']);
  });
});

describe('An idempotency key', () => {
  it('gives the same again for the same, however often and however much at once', async () => {
    const input = startInput();
    type Started = { startCheckout: { checkout: CheckoutAnswer } };
    const started = await Promise.all(
      Array.from({ length: 6 }, () => graph.run<Started>('traveler', 'start-checkout', input)),
    );
    const [checkoutId = '', ...more] = new Set(started.map(({ startCheckout }) => startCheckout.checkout.id));
    expect(more).toEqual([]);
    const key = randomUUID();
    const confirmed = await Promise.all(Array.from({ length: 6 }, () => confirm(graph, checkoutId, key)));
    const [id = '', ...others] = new Set(confirmed.map((each) => each.id));
    expect(others).toEqual([]);
    const paid = await settled(graph, id);
    expect((await confirm(graph, checkoutId, key)).id).toBe(id);
    expect(bookedFor(id, await readBooks(graph))).toEqual(expectedFor(paid));
    const refundKey = randomUUID();
    const refunds = await Promise.all(Array.from({ length: 4 }, () => refund(graph, id, '2.00', refundKey)));
    expect(new Set(refunds.map((each) => each.id)).size).toBe(1);
    expect((await settled(graph, id)).refundedAmount).toEqual(yuan('2.00'));
  });

  it('is refused for anything else', async () => {
    const [first, second] = [await checkout(graph, 'ok'), await checkout(graph, 'ok')];
    const idempotencyKey = randomUUID();
    await graph.run('traveler', 'start-checkout', startInput({ idempotencyKey }));
    for (const change of [{ amount: yuan('10.01') }, { code: storeOf('slow').payload }])
      expect(await codesOf('traveler', 'start-checkout', startInput({ idempotencyKey, ...change }))).toEqual([
        'IDEMPOTENCY_KEY_REUSED',
      ]);
    await confirm(graph, first.id, idempotencyKey);
    const input = { checkoutId: second.id, idempotencyKey };
    expect(await codesOf('traveler', 'confirm-checkout', { input })).toEqual(['IDEMPOTENCY_KEY_REUSED']);
    await graph.run('merchant', 'refund', refundInput({ idempotencyKey }));
    for (const change of [{ amount: yuan('1.01') }, { amount: null }, { reason: 'Too cold' }])
      expect(await codesOf('merchant', 'refund', refundInput({ idempotencyKey, ...change }))).toEqual([
        'IDEMPOTENCY_KEY_REUSED',
      ]);
  });

  it.each(['', 'short', 'with a blank', 'x'.repeat(129), 'schlüssel-1'])('%j is none', async (idempotencyKey) => {
    expect(await codesOf('traveler', 'start-checkout', startInput({ idempotencyKey }))).toEqual([
      'INVALID_IDEMPOTENCY_KEY',
    ]);
  });
});

describe('A checkout', () => {
  it('becomes one payment: another key is told which', async () => {
    const opened = await checkout(graph, 'ok');
    const first = await confirm(graph, opened.id);
    const input = { checkoutId: opened.id, idempotencyKey: randomUUID() };
    const { errors } = await run('traveler', 'confirm-checkout', { input });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'CHECKOUT_ALREADY_CONFIRMED',
      details: { paymentId: first.id },
    });
    for (const name of ['cancel', 'requote'] as const)
      expect(await codesOf('traveler', name, { input: { checkoutId: opened.id } })).toEqual([
        'CHECKOUT_ALREADY_CONFIRMED',
      ]);
  });

  it('waits for a new price when its own has run out, and for nothing when its time is over', async () => {
    const [stale, over] = [await checkout(graph, 'ok'), await checkout(graph, 'ok')];
    const client = new pg.Client({ connectionString: graph.databaseUrl('payments') });
    await client.connect();
    // Minutes pass: the clock is the one thing that may be faked.
    const past = "now() - interval '1 second'";
    await client.query(`update checkout set quote_expires_at = ${past} where id = $1`, [stale.id]);
    await client.query(`update checkout set expires_at = ${past} where id = $1`, [over.id]);
    await client.end();
    const input = (checkoutId: string) => ({ input: { checkoutId, idempotencyKey: randomUUID() } });
    expect(await codesOf('traveler', 'confirm-checkout', input(stale.id))).toEqual(['QUOTE_EXPIRED']);
    expect(await codesOf('traveler', 'confirm-checkout', input(over.id))).toEqual(['CHECKOUT_EXPIRED']);
    await graph.run('traveler', 'requote', { input: { checkoutId: stale.id } });
    expect((await settled(graph, (await confirm(graph, stale.id)).id)).status).toBe('COMPLETED');
  });

  it('cannot be paid from a wallet that is closed to its owner, or by somebody who is no traveler', async () => {
    expect(await codesOf('traveler', 'start-checkout', startInput({ walletId: daniel.walletId }))).toEqual([
      'NOT_FOUND',
    ]);
    expect(await codesOf('merchant', 'start-checkout', startInput())).toEqual(['FORBIDDEN']);
  });
});

describe('A refund', () => {
  it('is for the merchant, of a completed payment, of at most what is left, with a reason', async () => {
    const { errors } = await run('merchant', 'refund', refundInput({ amount: yuan('50.01') }));
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'REFUND_EXCEEDS_PAYMENT', details: { leftCurrency: 'CNY' } });
    for (const reason of ['', '   ', 'x'.repeat(81)])
      expect(await codesOf('merchant', 'refund', refundInput({ reason }))).toEqual(['INVALID_REASON']);
    const declined = await settled(graph, await pay(graph, 'declined'));
    expect(await codesOf('merchant', 'refund', refundInput({ paymentId: declined.id }))).toEqual([
      'REFUND_NOT_ALLOWED',
    ]);
    expect(await codesOf('traveler', 'refund', refundInput())).toEqual(['NOT_FOUND']);
  });

  it('of two that together exceed the payment: one is refused', async () => {
    const { id } = await settled(graph, await pay(graph, 'ok', '10.00'));
    const answers = await Promise.all(
      ['6.00', '7.00'].map((amount) =>
        codesOf('merchant', 'refund', refundInput({ paymentId: id, amount: yuan(amount) })),
      ),
    );
    expect(answers.flat()).toEqual(['REFUND_EXCEEDS_PAYMENT']);
    expect(['6.00', '7.00']).toContain((await settled(graph, id)).refundedAmount.amount);
  });
});

describe("What is another's", () => {
  /** The same request for a thing of somebody else and for one that never was, by who owns neither. */
  async function expectSame(
    asker: Asker,
    name: DocumentName,
    strange: Record<string, unknown>,
    absent: Record<string, unknown>,
  ) {
    const [first, second] = [await run(asker, name, strange), await run(asker, name, absent)];
    expect(first.errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
    expect(second).toEqual(first);
  }

  it('is answered as what does not exist: payments, checkouts, wallets, merchants', async () => {
    const opened = await checkout(graph, 'ok');
    const absent = { payment: newId('pay', 'us'), checkout: newId('chk', 'us'), wallet: newId('wal', 'us') };
    const noMerchant = newId('mer', 'cn');
    const other = 'otherTraveler';
    await expectSame(other, 'payment', { id: payment.id }, { id: absent.payment });
    for (const name of ['cancel', 'requote'] as const)
      await expectSame(other, name, { input: { checkoutId: opened.id } }, { input: { checkoutId: absent.checkout } });
    const key = { idempotencyKey: randomUUID() };
    await expectSame(
      other,
      'confirm-checkout',
      { input: { checkoutId: opened.id, ...key } },
      { input: { checkoutId: absent.checkout, ...key } },
    );
    await expectSame(
      other,
      'start-checkout',
      startInput({ walletId: maya.walletId }),
      startInput({ walletId: absent.wallet }),
    );

    const elsewhere = {
      token: await issuer.issue({ ...identities.merchant, merchantIds: [storeOf('slow').merchantId] }),
    };
    await expectSame(elsewhere, 'payment', { id: payment.id }, { id: absent.payment });
    await expectSame(elsewhere, 'refund', refundInput(), refundInput({ paymentId: absent.payment }));
    const codeFor = (merchantId: string) => ({ input: { merchantId, amount: yuan('1.00'), reference: null } });
    await expectSame(elsewhere, 'create-code', codeFor(storeOf('ok').merchantId), codeFor(noMerchant));
    const noPartner = { token: await issuer.issue({ ...identities.partner, subject: newId('ptr', 'us') }) };
    await expectSame(noPartner, 'payment', { id: payment.id }, { id: absent.payment });
    // Who a merchant is, everybody may know; what it was paid is its own.
    const history = await run(elsewhere, 'merchant-history', { merchantId: storeOf('ok').merchantId, first: 1 });
    expect(history.errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
    expect(history.data?.['merchant'] ?? null).toBeNull();

    expect((await paymentOf(graph, payment.id)).status).toBe('COMPLETED');
    expect(await graph.run('traveler', 'cancel', { input: { checkoutId: opened.id } })).toMatchObject({
      cancelCheckout: { checkout: { status: 'CANCELLED' } },
    });
  });

  it('is not found through the traveler either, nor is the payer through the payment', async () => {
    const about = 'query ($id: ID!) { traveler(id: $id) { displayName email payments(first: 1) { nodes { id } } } }';
    expect(await codes('otherTraveler', about, { id: maya.id })).toEqual(
      await codes('otherTraveler', about, { id: newId('trv', 'us') }),
    );
    const { payment: theirs } = await graph.run<{ payment: PaymentAnswer }>('merchant', 'payment', { id: payment.id });
    expect(theirs).toMatchObject({ id: payment.id, wallet: null });
    const payer = 'query ($id: ID!) { payment(id: $id) { traveler { displayName email legalName } } }';
    expect(await ask('merchant', payer, { id: payment.id })).toEqual({ data: { payment: { traveler: null } } });
  });
});

describe('Who asks', () => {
  const forbidden = async (asker: Asker, headers: Record<string, string> = {}) =>
    codes(asker, documents.read('payment'), { id: payment.id }, headers);

  it('must show a token of ours that still holds', async () => {
    const strangeKey = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
    const forger = await DevelopmentIssuer.create(`${graph.url}/dev`, { ...strangeKey, alg: 'ES256' });
    const [head, claims, signature] = (graph.tokens['traveler'] ?? '').split('.');
    const other = (graph.tokens['operator'] ?? '').split('.')[1];
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const tokens = {
      expired: await issuer.issue(identities.traveler, -60),
      'of another key': await forger.issue(identities.traveler),
      'with the claims of another': `${head}.${other}.${signature}`,
      'without a signature': `${none}.${claims}.`,
      garbage: 'garbage',
      empty: '',
    };
    for (const [what, token] of Object.entries(tokens))
      expect([what, await forbidden({ token })]).toEqual([what, ['UNAUTHENTICATED']]);
    expect(await forbidden(null)).toEqual(['UNAUTHENTICATED']);
    // A bad token is refused also where none is needed: its owner would believe to be signed in.
    expect(await codes({ token: tokens.expired }, documents.read('markets'))).toEqual(['UNAUTHENTICATED']);
  });

  it('cannot vouch for themselves: the header between our own services is not taken from outside', async () => {
    const forged = new PrincipalSigner('gateway', newSigningKey().privateKey);
    const asMaya = { [PRINCIPAL_HEADER]: await forged.sign(new Principal(identities.traveler)) };
    expect(await forbidden(null, asMaya)).toEqual(['UNAUTHENTICATED']);
    expect(await forbidden('otherTraveler', asMaya)).toEqual(['NOT_FOUND']);
    // Not even with the right key: what counts is what the gateway itself found.
    const { internal } = await secretsIn(join(graph.folder, 'secrets.json'));
    const ours = new PrincipalSigner('gateway', internal.gateway.privateKey);
    const signed = { [PRINCIPAL_HEADER]: await ours.sign(new Principal(identities.traveler)) };
    expect(await forbidden('otherTraveler', signed)).toEqual(['NOT_FOUND']);
  });

  it('may do no more than the scopes of their token: nobody makes codes without codes:write', async () => {
    const reader = { token: await issuer.issue({ ...identities.merchant, scopes: ['payments:read'] }) };
    const input = { merchantId: storeOf('ok').merchantId, amount: yuan('1.00'), reference: null };
    const { errors } = await run(reader, 'create-code', { input });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', details: { scope: 'codes:write' } });
    const cancel = 'mutation ($id: ID!) { cancelPaymentCode(input: { codeId: $id }) { code { status } } }';
    expect(await codes(reader, cancel, { id: dynamic.id })).toEqual(['FORBIDDEN']);
  });

  it('cannot reach what our services ask each other', async () => {
    for (const field of ['checkoutPayer', 'walletVault', 'checkoutCode', '_entities', '_service'])
      expect(await codes('operator', `{ ${field} { __typename } }`)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(await codes('operator', 'mutation { issueQuote { id } }')).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('An operation', () => {
  it('that is too deep, too wide or too long is OPERATION_TOO_COMPLEX', async () => {
    const deep = `{ viewer { traveler { ${'payments { nodes { traveler { '.repeat(10)} id ${'} } }'.repeat(10)} } } }`;
    const aliases = `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: markets { code }`).join(' ')} }`;
    const spread = `{ ...a } fragment a on Query { ...b ...b ...b ...b ...b ...b ...b } fragment b on Query { ...c ...c ...c ...c ...c ...c ...c }
      fragment c on Query { ...d ...d ...d ...d ...d ...d ...d } fragment d on Query { ...e ...e ...e ...e ...e ...e ...e } fragment e on Query { markets { code } }`;
    const long = `{ ${'__typename '.repeat(5_000)} }`;
    for (const [what, query] of Object.entries({ depth: deep, aliases, fields: spread, tokens: long })) {
      const { errors } = await ask('traveler', query);
      expect(errors?.map(({ extensions }) => extensions)).toMatchObject([
        { code: 'OPERATION_TOO_COMPLEX', details: { what } },
      ]);
    }
  });

  it.each([
    ['GRAPHQL_PARSE_FAILED', '{ viewer { '],
    ['GRAPHQL_VALIDATION_FAILED', '{ nothingOfThisName }'],
    ['GRAPHQL_VALIDATION_FAILED', 'query ($id: Int!) { payment(id: $id) { id } }'],
    ['OPERATION_RESOLUTION_FAILURE', 'query A { __typename } query B { __typename }'],
    ['BAD_USER_INPUT', 'query ($id: ID!) { payment(id: $id) { id } }'],
    [
      'BAD_USER_INPUT',
      'query ($from: Date!) { exchangeRateHistory(base: "USD", quote: "CNY", from: $from, to: "2024-01-01", interval: DAY) { date } }',
    ],
  ])('is %s: %s', async (code, query) => {
    expect(await codes('traveler', query)).toEqual([code]);
  });

  it.each([
    ['INVALID_PAGE', 'first: 101'],
    ['INVALID_PAGE', 'first: -1'],
    ['INVALID_PAGE', 'first: 1, last: 1'],
    ['INVALID_CURSOR', 'first: 1, after: "nonsense"'],
    ['INVALID_CURSOR', 'first: 1, before: "\'; drop table payment"'],
  ])('is %s for a page of %s', async (code, page) => {
    expect(await codes('traveler', `{ viewer { traveler { payments(${page}) { nodes { id } } } } }`)).toEqual([code]);
    const { merchantId } = storeOf('ok');
    expect(
      await codes(
        'merchant',
        `{ merchant(id: "${merchantId}") { payments(${page}) { nodes { id } } codes(first: 1) { nodes { id } } } }`,
      ),
    ).toEqual([code]);
  });

  it.each([
    ['INVALID_CURRENCY', '{ exchangeRate(base: "USD", quote: "XTS") { rate } }'],
    [
      'INVALID_RANGE',
      '{ exchangeRateHistory(base: "USD", quote: "CNY", from: "2024-02-01", to: "2024-01-01", interval: DAY) { date } }',
    ],
    [
      'INVALID_RANGE',
      '{ exchangeRateHistory(base: "USD", quote: "CNY", from: "1999-01-04", to: "2024-01-01", interval: DAY) { date } }',
    ],
  ])('is %s: %s', async (code, query) => {
    expect(await codes(null, query)).toEqual([code]);
  });

  it('may not be anything but JSON over POST when it changes something, nor larger than half a megabyte', async () => {
    const mutation = 'mutation { cancelCheckout(input: { checkoutId: "x" }) { checkout { id } } }';
    const got = await fetch(`${graph.url}/graphql?query=${encodeURIComponent(mutation)}`, {
      headers: { 'apollo-require-preflight': '1', authorization: graph.bearer('traveler') ?? '' },
    });
    expect(got.status).toBe(405);
    const form = await fetch(`${graph.url}/graphql`, {
      method: 'POST',
      body: new URLSearchParams({ query: mutation }),
    });
    expect(form.status).toBeGreaterThanOrEqual(400);
    const large = await fetch(`${graph.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ markets { code } } #${'x'.repeat(600_000)}` }),
    });
    expect([400, 413]).toContain(large.status);
    for (const answer of [got, form, large]) expect(await answer.text()).not.toMatch(INSIDE);
  });
});

describe('A notification', () => {
  it.each([
    ['/notifications/paypal', { id: 'WH-1', event_type: 'PAYMENT.CAPTURE.COMPLETED', resource: {} }],
    ['/notifications/wechat-pay', { id: '1', event_type: 'TRANSACTION.SUCCESS', resource: {} }],
  ])('to %s that nobody signed, or somebody else, is refused and changes nothing', async (path, body) => {
    const forged = {
      'paypal-transmission-id': randomUUID(),
      'paypal-transmission-time': new Date().toISOString(),
      'paypal-transmission-sig': Buffer.from('forged').toString('base64'),
      'paypal-cert-url': 'https://evil.example/cert.pem',
      'paypal-auth-algo': 'SHA256withRSA',
      'wechatpay-timestamp': String(Math.floor(Date.now() / 1_000)),
      'wechatpay-nonce': 'nonce',
      'wechatpay-serial': 'ABCDEF',
      'wechatpay-signature': Buffer.from('forged').toString('base64'),
    };
    const before = await paymentOf(graph, payment.id);
    for (const [headers, text] of [
      [{}, JSON.stringify(body)],
      [forged, JSON.stringify(body)],
      [forged, 'no JSON'],
      [forged, ''],
    ] as const) {
      const answer = await fetch(`${graph.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: text,
      });
      expect([400, 401, 503]).toContain(answer.status);
      expect(await answer.text()).not.toMatch(INSIDE);
    }
    expect(await paymentOf(graph, payment.id)).toEqual(before);
  });
});

/** Words that only the inside knows: stacks, SQL, hosts, files. */
const INSIDE =
  /\n\s+at |node:|node_modules|\.[jt]s\b|\/dist\/|\/tmp\/|127\.0\.0\.1|localhost|postgres|\b(select|insert|update|delete) .*\b(from|into|set|where)\b|relation "|constraint|ECONN|EPIPE|stacktrace/i;

describe('No error of all these', () => {
  it('said anything of the inside', () => {
    expect(seen.length).toBeGreaterThan(150);
    expect(seen.filter((error) => INSIDE.test(JSON.stringify(error)))).toEqual([]);
    for (const { extensions, message } of seen) {
      expect(Object.keys(extensions ?? {}).filter((key) => !['code', 'transient', 'details'].includes(key))).toEqual(
        [],
      );
      expect(message).toMatch(/\S/);
    }
  });

  it('had a code that schema/README.md does not list', () => {
    const table = readFileSync(join(root, 'schema', 'README.md'), 'utf8');
    const unlisted = new Set(
      seen.map(({ extensions }) => extensions?.code).filter((code) => !table.includes(`\`${code}\``)),
    );
    expect([...unlisted]).toEqual([]);
  });

  it('left half a payment: the books of all sides agree', async () => {
    expect(await discrepanciesOf(graph)).toEqual([]);
    const books = await eventually(5_000, 'no hold to be left open', async () => {
      const read = await readBooks(graph);
      return read.paypal.authorizations.some(({ status }) => status === 'CREATED') ? null : read;
    });
    const succeeded = books.wechatPay.transactions.filter(({ status }) => status === 'SUCCESS');
    expect(new Set(books.paypal.captures.map(({ paymentId }) => paymentId))).toEqual(
      new Set(succeeded.map(({ paymentId }) => paymentId)),
    );
    expect(books.paypal.captures).toHaveLength(succeeded.length);
  });
});
