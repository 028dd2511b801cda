import { afterEach, describe, expect, it } from '@jest/globals';
import { Counterpart, closeEverything, usd } from '../counterpart.js';

afterEach(closeEverything);

const HOUR = 3_600_000;

async function withoutWallet(paypal: Counterpart): Promise<string> {
  const body = { intent: 'AUTHORIZE', purchase_units: [{ amount: { currency_code: 'USD', value: '1.00' } }] };
  return String((await paypal.ask('POST', '/v2/checkout/orders', body, { 'paypal-request-id': 'k' })).body['id']);
}

async function authorize(paypal: Counterpart, id: string, key = 'authorize') {
  return paypal.ask('POST', `/v2/checkout/orders/${id}/authorize`, {}, { 'paypal-request-id': key });
}

describe('An order', () => {
  it('is not authorized before its payer approved it', async () => {
    const paypal = await Counterpart.start();
    const id = await withoutWallet(paypal);
    expect(await authorize(paypal, id)).toMatchObject({ status: 422, issue: 'ORDER_NOT_APPROVED' });
    for (let visit = 0; visit < 2; visit += 1)
      expect((await fetch(`${paypal.url}/checkoutnow?token=${id}`)).status).toBe(200);
    expect(await authorize(paypal, id)).toMatchObject({ status: 201, body: { status: 'COMPLETED' } });
  });

  it('is authorized once, whatever the key', async () => {
    const paypal = await Counterpart.start();
    const { id } = await paypal.order('a');
    expect((await authorize(paypal, id, 'one')).status).toBe(201);
    expect((await authorize(paypal, id, 'one')).status).toBe(200);
    expect(await authorize(paypal, id, 'two')).toMatchObject({ status: 422, issue: 'ORDER_ALREADY_AUTHORIZED' });
    expect((await paypal.books()).authorizations).toHaveLength(1);
  });

  it('expires three hours after its approval', async () => {
    let time = Date.now();
    const paypal = await Counterpart.start({ now: () => new Date(time) });
    const { id } = await paypal.order('a');
    time += 3 * HOUR + 1;
    expect(await authorize(paypal, id)).toMatchObject({ status: 422, issue: 'ORDER_EXPIRED' });
  });

  it('does not exist until it is made, and nobody approves what is not there', async () => {
    const paypal = await Counterpart.start();
    expect(await authorize(paypal, 'NOSUCH')).toMatchObject({ status: 404, issue: 'INVALID_RESOURCE_ID' });
    expect((await fetch(`${paypal.url}/checkoutnow?token=NOSUCH`)).status).toBe(404);
  });

  it('may be written again with its invoice, but money is held for an invoice once', async () => {
    const paypal = await Counterpart.start();
    const first = await paypal.order('a');
    const again = await orderAgain(paypal, 'second');
    expect((await authorize(paypal, first.id, 'one')).status).toBe(201);
    expect(await authorize(paypal, again.id, 'two')).toMatchObject({ status: 422, issue: 'DUPLICATE_INVOICE_ID' });
    await expect(orderAgain(paypal, 'third')).rejects.toMatchObject({
      code: 'DUPLICATE_INVOICE_ID',
      action: 'ALREADY_DONE',
    });
  });
});

async function orderAgain(paypal: Counterpart, requestId: string) {
  return paypal.client.createOrder({
    requestId,
    paymentId: 'pay_us_a',
    invoiceId: 'invoice-a',
    referenceId: 'reference',
    amount: usd('14.11'),
    vaultId: 'vault-good',
    description: 'Noodles',
  });
}
