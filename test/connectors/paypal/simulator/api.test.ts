import { afterEach, describe, expect, it } from '@jest/globals';
import { type Answer, Counterpart, closeEverything, freshFolder } from '../counterpart.js';

afterEach(closeEverything);

const KEYED = { 'paypal-request-id': 'key-1' };

function orderBody(unit: object = {}, rest: object = {}): object {
  return {
    intent: 'AUTHORIZE',
    purchase_units: [{ amount: { currency_code: 'USD', value: '14.11' }, custom_id: 'pay_us_a', ...unit }],
    payment_source: { paypal: { vault_id: 'vault-good' } },
    ...rest,
  };
}

describe('Every call', () => {
  it('needs a token that this PayPal issued', async () => {
    const paypal = await Counterpart.start();
    for (const authorization of ['', 'Bearer made-up', `Basic ${await paypal.token()}`]) {
      const answer = await paypal.ask('GET', '/v2/checkout/orders/O1', undefined, { authorization });
      expect(answer).toMatchObject({ status: 401, body: { name: 'AUTHENTICATION_FAILURE' } });
    }
  });

  it('needs a token that has not expired', async () => {
    let time = Date.parse('2026-11-22T12:00:00Z');
    const paypal = await Counterpart.start({ now: () => new Date(time), tokenLifetimeSeconds: 60 });
    const authorization = `Bearer ${await paypal.token()}`;
    time += 59_999;
    expect((await paypal.ask('GET', '/v2/checkout/orders/O1', undefined, { authorization })).status).toBe(404);
    time += 1;
    expect((await paypal.ask('GET', '/v2/checkout/orders/O1', undefined, { authorization })).status).toBe(401);
  });

  it('is answered with a debug id, which an error repeats in PayPal’s form', async () => {
    const paypal = await Counterpart.start();
    const { body, headers } = await paypal.ask('GET', '/v2/payments/captures/NOSUCH');
    expect(body).toEqual({
      name: 'RESOURCE_NOT_FOUND',
      message: 'The specified resource does not exist.',
      debug_id: headers.get('paypal-debug-id'),
      details: [{ issue: 'INVALID_RESOURCE_ID', description: expect.any(String) }],
      links: [],
    });
  });

  it('must go to a path and by a method that exist', async () => {
    const paypal = await Counterpart.start();
    expect((await paypal.ask('GET', '/v3/orders')).status).toBe(404);
    expect((await paypal.ask('GET', '/v2/checkout/orders/lower-case')).status).toBe(404);
    expect((await paypal.ask('GET', '/v2/checkout/orders')).status).toBe(405);
  });

  it('that changes something must be JSON, well formed and not endless', async () => {
    const paypal = await Counterpart.start();
    const text = { ...KEYED, 'content-type': 'text/plain' };
    expect(await paypal.ask('POST', '/v2/checkout/orders', '{}', text)).toMatchObject({ status: 415 });
    expect(await paypal.ask('POST', '/v2/checkout/orders', '{', KEYED)).toMatchObject({
      status: 400,
      issue: 'MALFORMED_REQUEST_JSON',
    });
    expect(await paypal.ask('POST', '/v2/checkout/orders', ' '.repeat(2 ** 21), KEYED)).toMatchObject({ status: 413 });
  });

  it.each([
    ['INSTRUMENT_DECLINED', 422],
    ['PREVIOUS_REQUEST_IN_PROGRESS', 409],
    ['PERMISSION_DENIED', 403],
    ['AN_ISSUE_THAT_WE_NEVER_RAISE', 422],
  ])('is answered with the issue %s when PayPal-Mock-Response says so, without effect', async (issue, status) => {
    const paypal = await Counterpart.start();
    const mock = { ...KEYED, 'paypal-mock-response': JSON.stringify({ mock_application_codes: issue }) };
    expect(await paypal.ask('POST', '/v2/checkout/orders', orderBody(), mock)).toMatchObject({ status, issue });
    expect((await paypal.books()).orders).toEqual([]);
  });

  it('with a PayPal-Mock-Response of another form is refused', async () => {
    const paypal = await Counterpart.start();
    const mock = { 'paypal-mock-response': 'INSTRUMENT_DECLINED' };
    expect(await paypal.ask('GET', '/v2/checkout/orders/O1', undefined, mock)).toMatchObject({ status: 400 });
  });
});

describe('The token endpoint', () => {
  async function ask(paypal: Counterpart, secret: string, form: Record<string, string>) {
    const response = await fetch(`${paypal.url}/v1/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`client:${secret}`).toString('base64')}` },
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: await response.json() };
  }

  it('gives tokens for client credentials only', async () => {
    const paypal = await Counterpart.start();
    expect(await ask(paypal, 'secret', { grant_type: 'client_credentials' })).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 32_400 },
    });
    expect(await ask(paypal, 'secret', { grant_type: 'password' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
    expect(await ask(paypal, 'guess', { grant_type: 'client_credentials' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });
});

describe('An answer', () => {
  it('is id, status and links unless the representation is asked for', async () => {
    const paypal = await Counterpart.start();
    const minimal = await paypal.ask('POST', '/v2/checkout/orders', orderBody(), KEYED);
    expect(Object.keys(minimal.body)).toEqual(['id', 'status', 'links']);
    const whole = { ...KEYED, prefer: 'return=representation' };
    const full = await paypal.ask('POST', '/v2/checkout/orders', orderBody(), whole);
    expect(full.body).toMatchObject({
      id: minimal.body['id'],
      intent: 'AUTHORIZE',
      purchase_units: [{ custom_id: 'pay_us_a' }],
    });
  });

  it('has links that lead on', async () => {
    const paypal = await Counterpart.start();
    const { body } = await paypal.ask('POST', '/v2/checkout/orders', orderBody(), KEYED);
    const links = body['links'] as { rel: string; href: string; method: string }[];
    const authorize = links.find(({ rel }) => rel === 'authorize')?.href ?? '';
    const answer = await paypal.ask('POST', authorize.replace(paypal.url, ''), undefined, KEYED);
    expect(answer).toMatchObject({ status: 201, body: { status: 'COMPLETED' } });
  });

  it('of a void is nothing, or the authorization when that is asked for', async () => {
    const paypal = await Counterpart.start();
    const [one, two] = [await paypal.authorization('a'), await paypal.authorization('b')];
    expect(await paypal.ask('POST', `/v2/payments/authorizations/${one}/void`)).toMatchObject({ status: 204 });
    const whole = { prefer: 'return=representation' };
    expect(await paypal.ask('POST', `/v2/payments/authorizations/${two}/void`, undefined, whole)).toMatchObject({
      status: 200,
      body: { id: two, status: 'VOIDED' },
    });
  });
});

describe('Creating an order', () => {
  async function create(body: object | string, headers: Record<string, string> = KEYED): Promise<Answer> {
    const paypal = await Counterpart.start();
    return paypal.ask('POST', '/v2/checkout/orders', body, headers);
  }
  const amount = (value: string, currency = 'USD') => orderBody({ amount: { currency_code: currency, value } });

  it('needs a request id of at most 108 characters', async () => {
    expect(await create(orderBody(), {})).toMatchObject({ status: 400, issue: 'PAYPAL_REQUEST_ID_REQUIRED' });
    expect(await create(orderBody(), { 'paypal-request-id': 'x'.repeat(109) })).toMatchObject({ status: 400 });
    expect(await create(orderBody(), { 'paypal-request-id': 'x'.repeat(108) })).toMatchObject({ status: 201 });
  });

  it.each([
    ['no amount', orderBody({ amount: undefined }), 400, 'MISSING_REQUIRED_PARAMETER'],
    ['no intent', orderBody({}, { intent: undefined }), 400, 'MISSING_REQUIRED_PARAMETER'],
    ['an intent that does not exist', orderBody({}, { intent: 'TAKE' }), 400, 'INVALID_PARAMETER_VALUE'],
    ['the intent that is not played', orderBody({}, { intent: 'CAPTURE' }), 422, 'UNSUPPORTED_INTENT'],
    ['no unit', orderBody({}, { purchase_units: [] }), 400, 'INVALID_ARRAY_MIN_ITEMS'],
    [
      'eleven units',
      orderBody({}, { purchase_units: Array(11).fill({ amount: { currency_code: 'USD', value: '1' } }) }),
      400,
      'INVALID_ARRAY_MAX_ITEMS',
    ],
    [
      'two units',
      orderBody({}, { purchase_units: Array(2).fill({ amount: { currency_code: 'USD', value: '1' } }) }),
      400,
      'NOT_SUPPORTED',
    ],
    ['a description too long', orderBody({ description: 'x'.repeat(128) }), 400, 'INVALID_STRING_LENGTH'],
    ['an empty custom id', orderBody({ custom_id: '' }), 400, 'INVALID_STRING_LENGTH'],
    [
      'an amount that is a number',
      orderBody({ amount: { currency_code: 'USD', value: 14.11 } }),
      400,
      'INVALID_PARAMETER_SYNTAX',
    ],
    ['an amount in words', amount('ten'), 400, 'INVALID_PARAMETER_SYNTAX'],
    ['three decimals of dollars', amount('1.001'), 422, 'DECIMAL_PRECISION'],
    ['decimals of yen', amount('1.00', 'JPY'), 422, 'DECIMALS_NOT_SUPPORTED'],
    ['decimals of forint, which PayPal has none of', amount('1.00', 'HUF'), 422, 'DECIMALS_NOT_SUPPORTED'],
    ['a currency that does not exist', amount('1.00', 'ZZZ'), 422, 'INVALID_CURRENCY_CODE'],
    ['nothing', amount('0.00'), 422, 'CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['less than nothing', amount('-1.00'), 422, 'CANNOT_BE_ZERO_OR_NEGATIVE'],
    ['a fortune', amount('10000000.00'), 422, 'MAX_VALUE_EXCEEDED'],
    [
      'a wallet that nobody vaulted',
      orderBody({}, { payment_source: { paypal: { vault_id: 'nobody' } } }),
      422,
      'TOKEN_ID_NOT_FOUND',
    ],
  ])('is refused with %s', async (_, body, status, issue) => {
    expect(await create(body)).toMatchObject({ status, issue });
  });

  it('names every field that is wrong', async () => {
    const { body } = await create(orderBody({ amount: { currency_code: 'DOLLAR' } }));
    expect(body['details']).toMatchObject([
      { field: '/purchase_units/0/amount/currency_code' },
      { field: '/purchase_units/0/amount/value', issue: 'MISSING_REQUIRED_PARAMETER' },
    ]);
  });

  it('takes amounts as PayPal writes them: without decimals, or without a leading zero', async () => {
    expect((await create(amount('14'))).status).toBe(201);
    expect((await create(amount('.50'))).status).toBe(201);
  });

  it('is approved at once with a vaulted wallet, and waits for the payer without one', async () => {
    expect((await create(orderBody())).body['status']).toBe('APPROVED');
    expect((await create(orderBody({}, { payment_source: { paypal: {} } }))).body['status']).toBe(
      'PAYER_ACTION_REQUIRED',
    );
    expect((await create(orderBody({}, { payment_source: undefined }))).body['status']).toBe('CREATED');
  });
});

describe('What is not PayPal’s API', () => {
  it('says that it is well, and shows its books and its certificate to everybody', async () => {
    const paypal = await Counterpart.start({ booksFolder: freshFolder() });
    expect(await (await fetch(`${paypal.url}/health`)).text()).toBe('ok');
    expect(await paypal.books()).toEqual({
      orders: [],
      authorizations: [],
      captures: [],
      refunds: [],
      pendingNotifications: 0,
    });
    expect((await fetch(`${paypal.url}/v1/notifications/certs/CERT-OTHER`)).status).toBe(404);
  });
});
