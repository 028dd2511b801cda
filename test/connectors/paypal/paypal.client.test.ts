import { afterEach, describe, expect, it } from '@jest/globals';
import { PaypalRefusal } from '../../../connectors/paypal/paypal.errors.js';
import { Money } from '../../../subgraphs/kernel/money/money.js';
import { Counterpart, captureOf, clientOf, closeEverything, refundOf, refusalOf, usd } from './counterpart.js';

afterEach(closeEverything);

describe('PaypalClient', () => {
  it('holds, takes and gives back money, and reads each step again', async () => {
    const { client, ...counterpart } = await started();
    const order = await counterpart.order('a');
    expect(order).toEqual({
      id: expect.stringMatching(/^[A-Z0-9]{17}$/),
      status: 'APPROVED',
      authorization: null,
      captures: [],
    });

    const authorized = await client.authorizeOrder({ requestId: 'authorize-a', orderId: order.id });
    expect(authorized.status).toBe('COMPLETED');
    expect(authorized.authorization).toMatchObject({ status: 'CREATED', amount: usd('14.11'), reason: null });
    expect(authorized.authorization?.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 28 * 86_400_000);
    const authorizationId = authorized.authorization?.id ?? '';
    expect(await client.getOrder(order.id)).toEqual(authorized);
    expect(await client.getAuthorization(authorizationId)).toEqual(authorized.authorization);

    const capture = await client.captureAuthorization(captureOf('a', authorizationId));
    expect(capture).toEqual({
      id: capture.id,
      status: 'COMPLETED',
      amount: usd('14.11'),
      fee: usd('0.98'),
      reason: null,
    });
    expect(await client.getCapture(capture.id)).toEqual(capture);
    expect((await client.getAuthorization(authorizationId)).status).toBe('CAPTURED');

    const refund = await client.refundCapture(refundOf('a', capture.id, '4.11'));
    expect(refund).toEqual({ id: refund.id, status: 'COMPLETED', amount: usd('4.11'), reason: null });
    expect(await client.getRefund(refund.id)).toEqual(refund);
    expect((await client.getCapture(capture.id)).status).toBe('PARTIALLY_REFUNDED');
    await client.refundCapture(refundOf('rest', capture.id, '10.00'));
    expect((await client.getCapture(capture.id)).status).toBe('REFUNDED');
  });

  it('carries our payment id to PayPal, where reports and refunds show it again', async () => {
    const { client, ...counterpart } = await started();
    await client.refundCapture(refundOf('a', await counterpart.capture('a'), '1.00'));
    const books = await counterpart.books();
    for (const entry of [...books.orders, ...books.authorizations, ...books.captures, ...books.refunds])
      expect(entry).toMatchObject({ paymentId: 'pay_us_a', currency: 'USD' });
    expect(books.refunds).toEqual([expect.objectContaining({ amount: '1.00', status: 'COMPLETED' })]);
  });

  it('releases held money, and takes an authorization that is void already for a success', async () => {
    const { client, ...counterpart } = await started();
    const authorizationId = await counterpart.authorization('a');
    await client.voidAuthorization(authorizationId);
    await client.voidAuthorization(authorizationId);
    expect((await client.getAuthorization(authorizationId)).status).toBe('VOIDED');
  });

  it('does not take a captured authorization for a released one', async () => {
    const { client, ...counterpart } = await started();
    const authorizationId = await counterpart.authorization('a');
    await client.captureAuthorization(captureOf('a', authorizationId));
    await expect(client.voidAuthorization(authorizationId)).rejects.toMatchObject({ code: 'PREVIOUSLY_CAPTURED' });
  });

  it('finds the capture of an order whose answer was lost, or none', async () => {
    const { client, ...counterpart } = await started();
    const order = await counterpart.order('a');
    expect(await client.findCapture({ orderId: order.id })).toBeNull();
    const { authorization } = await client.authorizeOrder({ requestId: 'authorize-a', orderId: order.id });
    expect(await client.findCapture({ orderId: order.id })).toBeNull();
    const capture = await client.captureAuthorization(captureOf('a', authorization?.id ?? ''));
    expect(await client.findCapture({ orderId: order.id })).toEqual(capture);
  });

  it('is given the first answer again for each key it repeats, and nothing happens twice', async () => {
    const { client, ...counterpart } = await started();
    const order = await counterpart.order('a');
    expect(await counterpart.order('a')).toEqual(order);
    const request = { requestId: 'authorize-a', orderId: order.id };
    const authorized = await client.authorizeOrder(request);
    expect(await client.authorizeOrder(request)).toEqual(authorized);
    const capturing = captureOf('a', authorized.authorization?.id ?? '');
    const capture = await client.captureAuthorization(capturing);
    expect(await client.captureAuthorization(capturing)).toEqual(capture);
    const refunding = refundOf('a', capture.id, '4.11');
    const refund = await client.refundCapture(refunding);
    expect(await client.refundCapture(refunding)).toEqual(refund);
    const books = await counterpart.books();
    expect([books.orders, books.authorizations, books.captures, books.refunds].map((list) => list.length)).toEqual([
      1, 1, 1, 1,
    ]);
  });

  it('captures once when the same key is sent many times at once', async () => {
    const { client, ...counterpart } = await started();
    const request = captureOf('a', await counterpart.authorization('a'));
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => client.captureAuthorization(request)));
    const ids = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    const refusals = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as PaypalRefusal] : [],
    );
    expect(new Set(ids).size).toBe(1);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ code: 'PREVIOUS_REQUEST_IN_PROGRESS', action: 'RETRY' });
    expect(await client.captureAuthorization(request)).toMatchObject({ id: ids[0] });
    expect((await counterpart.books()).captures).toHaveLength(1);
  });

  it('captures once when two different keys race for one authorization', async () => {
    const { client, ...counterpart } = await started();
    const authorizationId = await counterpart.authorization('a');
    const outcomes = await Promise.allSettled(
      ['one', 'two'].map((key) => client.captureAuthorization({ ...captureOf('a', authorizationId), requestId: key })),
    );
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'AUTHORIZATION_ALREADY_CAPTURED', action: 'ALREADY_DONE' });
    expect((await counterpart.books()).captures).toHaveLength(1);
  });

  it('is told that a key was used for something else', async () => {
    const { client, ...counterpart } = await started();
    const authorizationId = await counterpart.authorization('a');
    await client.captureAuthorization(captureOf('a', authorizationId, '10.00'));
    expect(await refusalOf(client.captureAuthorization(captureOf('a', authorizationId, '9.00')))).toMatchObject({
      code: 'DUPLICATE_REQUEST_ID',
      action: 'OUR_BUG',
    });
  });

  it('says what to do about a wallet that declines, is unknown, or an order that does not exist', async () => {
    const { client, ...counterpart } = await started();
    expect(await refusalOf(counterpart.authorization('a', '14.11', 'vault-declined'))).toMatchObject({
      code: 'INSTRUMENT_DECLINED',
      action: 'PAYER_MUST_ACT',
    });
    expect(await refusalOf(counterpart.order('b', '14.11', 'vault-nobody'))).toMatchObject({
      code: 'TOKEN_ID_NOT_FOUND',
      action: 'PAYER_MUST_ACT',
    });
    expect(await refusalOf(client.getOrder('NOSUCHORDER'))).toMatchObject({
      code: 'INVALID_RESOURCE_ID',
      action: 'FINAL',
    });
  });

  it.each([
    ['PREVIOUS_REQUEST_IN_PROGRESS', 'RETRY'],
    ['ORDER_COMPLETION_IN_PROGRESS', 'RETRY'],
    ['RATE_LIMIT_REACHED', 'RETRY'],
    ['ORDER_ALREADY_AUTHORIZED', 'ALREADY_DONE'],
    ['DUPLICATE_INVOICE_ID', 'ALREADY_DONE'],
    ['INSTRUMENT_DECLINED', 'PAYER_MUST_ACT'],
    ['PAYER_ACTION_REQUIRED', 'PAYER_MUST_ACT'],
    ['TRANSACTION_REFUSED', 'FINAL'],
    ['COMPLIANCE_VIOLATION', 'FINAL'],
    ['AN_ISSUE_OF_NEXT_YEAR', 'FINAL'],
    ['DECIMAL_PRECISION', 'OUR_BUG'],
    ['PERMISSION_DENIED', 'OUR_BUG'],
  ])('makes of the issue %s the action %s, with PayPal’s debug id', async (issue, action) => {
    const counterpart = await Counterpart.start();
    const client = clientOf(counterpart.url, { mockApplicationCode: issue });
    const thrown = await refusalOf(client.getCapture('ANY'));
    expect(thrown).toBeInstanceOf(PaypalRefusal);
    expect(thrown).toMatchObject({ code: issue, action, debugId: expect.stringMatching(/^[0-9a-f]{14}$/) });
  });

  it.each(['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE'])('takes %s for an unknown outcome', async (code) => {
    const counterpart = await Counterpart.start();
    const client = clientOf(counterpart.url, { mockApplicationCode: code });
    expect(await refusalOf(client.getCapture('ANY'))).toMatchObject({ name: 'PaypalUnknown', action: 'RETRY' });
  });

  it('shortens texts for people to what PayPal takes, without splitting a character', async () => {
    const { client, ...counterpart } = await started();
    const order = { ...(await orderOf('long')), description: `${'面'.repeat(125)}😀😀` };
    await client.createOrder(order);
    const refund = { ...refundOf('long', await counterpart.capture('x'), '1.00'), note: 'n'.repeat(400) };
    expect(await client.refundCapture(refund)).toMatchObject({ status: 'COMPLETED' });
    const made = await counterpart.ask('GET', `/v2/checkout/orders/${(await client.createOrder(order)).id}`);
    const [unit] = made.body['purchase_units'] as { description: string }[];
    expect(unit?.description).toBe(`${'面'.repeat(125)}…`);
  });

  it('sends no fraction of a currency that PayPal knows none of', async () => {
    const { client } = await started();
    const whole = { ...(await orderOf('huf')), amount: Money.parse('1200.00', 'HUF') };
    expect(await client.createOrder(whole)).toMatchObject({ status: 'APPROVED' });
    const broken = { ...(await orderOf('fraction')), amount: Money.parse('1200.50', 'HUF') };
    expect(await refusalOf(client.createOrder(broken))).toMatchObject({
      code: 'DECIMALS_NOT_SUPPORTED',
      action: 'OUR_BUG',
    });
  });

  it('cannot be led to another path by an id', async () => {
    const { client } = await started();
    expect(await refusalOf(client.getOrder('../../../books'))).toMatchObject({ code: 'INVALID_RESOURCE_ID' });
  });
});

async function started() {
  const counterpart = await Counterpart.start();
  return {
    client: counterpart.client,
    order: counterpart.order.bind(counterpart),
    authorization: counterpart.authorization.bind(counterpart),
    capture: counterpart.capture.bind(counterpart),
    books: counterpart.books.bind(counterpart),
    ask: counterpart.ask.bind(counterpart),
  };
}

async function orderOf(name: string) {
  return {
    requestId: `order-${name}`,
    paymentId: `pay_us_${name}`,
    invoiceId: `invoice-${name}`,
    referenceId: 'reference',
    amount: usd('14.11'),
    vaultId: 'vault-good',
    description: 'Noodles',
  };
}
