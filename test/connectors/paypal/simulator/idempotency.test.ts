import { afterEach, describe, expect, it } from '@jest/globals';
import { Books } from '../../../../connectors/paypal/simulator/books.js';
import { Idempotency } from '../../../../connectors/paypal/simulator/idempotency.js';
import { Counterpart, captureOf, closeEverything, freshFolder, later, refusalOf, usd } from '../counterpart.js';

afterEach(closeEverything);

const HOUR = 3_600_000;

describe('A request id', () => {
  it('is answered 201 the first time and 200 ever after, with what became of it', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.authorization('a');
    const ask = () =>
      paypal.ask(
        'POST',
        `/v2/payments/authorizations/${id}/capture`,
        {},
        { 'paypal-request-id': 'k', prefer: 'return=representation' },
      );
    const first = await ask();
    expect(first).toMatchObject({ status: 201, body: { status: 'COMPLETED' } });
    await paypal.client.refundCapture({
      requestId: 'r',
      captureId: String(first.body['id']),
      amount: usd('1.00'),
      paymentId: 'pay_us_a',
      invoiceId: 'r',
      note: '',
    });
    expect(await ask()).toMatchObject({ status: 200, body: { id: first.body['id'], status: 'PARTIALLY_REFUNDED' } });
  });

  it('that comes again while its request is under way is told so, and nothing is done a second time', async () => {
    const books = await Books.open(freshFolder(), () => undefined);
    later(() => books.close());
    const idempotency = new Idempotency(books, () => new Date());
    const request = { operation: 'capture', requestId: 'k', content: 'the same' } as const;
    const resource = { kind: 'capture', id: 'C' } as const;
    let decided = 0;
    const decide = () => {
      decided += 1;
      return { changes: [], resource, happenings: [] };
    };
    const disk = Promise.withResolvers<void>();
    const first = idempotency.once(request, decide, (_, also) => books.commit(also).then(() => disk.promise));
    const never = () => Promise.reject(new Error('done twice'));
    await expect(idempotency.once(request, decide, never)).rejects.toMatchObject({
      status: 409,
      details: [{ issue: 'PREVIOUS_REQUEST_IN_PROGRESS' }],
    });
    disk.resolve();
    expect(await first).toEqual({ resource, isNew: true });
    expect(await idempotency.once(request, decide, never)).toEqual({ resource, isNew: false });
    expect(decided).toBe(1);
  });

  it('may serve different operations, but not different requests of one', async () => {
    const paypal = await Counterpart.start();
    const { client } = paypal;
    const order = await paypal.order('a');
    const { authorization } = await client.authorizeOrder({ requestId: 'order-a', orderId: order.id });
    const request = { ...captureOf('a', authorization?.id ?? ''), requestId: 'order-a' };
    await client.captureAuthorization(request);
    const other = await paypal.authorization('b');
    expect(await refusalOf(client.captureAuthorization({ ...request, authorizationId: other }))).toMatchObject({
      code: 'DUPLICATE_REQUEST_ID',
    });
    expect(await refusalOf(paypal.order('a', '99.00'))).toMatchObject({ code: 'DUPLICATE_REQUEST_ID' });
  });

  it('does not remember a refusal: the same request is looked at anew', async () => {
    let time = Date.now();
    const paypal = await Counterpart.start({ now: () => new Date(time) });
    const body = { intent: 'AUTHORIZE', purchase_units: [{ amount: { currency_code: 'USD', value: '1.00' } }] };
    const order = await paypal.ask('POST', '/v2/checkout/orders', body, { 'paypal-request-id': 'k' });
    const authorize = { requestId: 'k', orderId: String(order.body['id']) };
    expect(await refusalOf(paypal.client.authorizeOrder(authorize))).toMatchObject({ code: 'ORDER_NOT_APPROVED' });
    await fetch(`${paypal.url}/checkoutnow?token=${authorize.orderId}`);
    time += 1;
    expect(await paypal.client.authorizeOrder(authorize)).toMatchObject({ status: 'COMPLETED' });
  });

  it('of an order is forgotten after six hours, of a payment after 45 days', async () => {
    let time = Date.now();
    const paypal = await Counterpart.start({ now: () => new Date(time) });
    const first = await paypal.order('a');
    const authorizationId = await paypal.authorization('b');
    const capture = captureOf('b', authorizationId);
    const { id } = await paypal.client.captureAuthorization(capture);
    time += 6 * HOUR - 1;
    expect((await paypal.order('a')).id).toBe(first.id);
    time += 1;
    expect((await paypal.order('a')).id).not.toBe(first.id);
    expect((await paypal.client.captureAuthorization(capture)).id).toBe(id);
    time += 45 * 24 * HOUR;
    // A key too old protects no more; the state still does.
    expect(await refusalOf(paypal.client.captureAuthorization(capture))).toMatchObject({
      code: 'AUTHORIZATION_ALREADY_CAPTURED',
    });
  });
});
