import { afterEach, describe, expect, it } from '@jest/globals';
import { type Answer, Counterpart, closeEverything } from '../counterpart.js';

afterEach(closeEverything);

const DAY = 86_400_000;

let keys = 0;
async function capture(paypal: Counterpart, id: string, body: object): Promise<Answer> {
  keys += 1;
  return paypal.ask('POST', `/v2/payments/authorizations/${id}/capture`, body, {
    'paypal-request-id': `key-${keys}`,
    prefer: 'return=representation',
  });
}
const amount = (value: string, currency_code = 'USD') => ({ amount: { currency_code, value } });
const release = (paypal: Counterpart, id: string) => paypal.ask('POST', `/v2/payments/authorizations/${id}/void`);

describe('An authorization', () => {
  it('is captured in parts up to its amount and not a cent further', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.authorization('a', '10.00');
    expect(await capture(paypal, id, amount('4.00'))).toMatchObject({ status: 201, body: { final_capture: false } });
    expect((await paypal.client.getAuthorization(id)).status).toBe('PARTIALLY_CAPTURED');
    expect(await capture(paypal, id, amount('6.01'))).toMatchObject({
      status: 422,
      issue: 'MAX_CAPTURE_AMOUNT_EXCEEDED',
    });
    expect(await capture(paypal, id, amount('6.00'))).toMatchObject({ status: 201, body: { final_capture: true } });
    expect((await paypal.client.getAuthorization(id)).status).toBe('CAPTURED');
    expect(await capture(paypal, id, amount('0.01'))).toMatchObject({
      status: 422,
      issue: 'AUTHORIZATION_ALREADY_CAPTURED',
    });
  });

  it('is captured for all that is left when no amount is said', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.authorization('a', '10.00');
    await capture(paypal, id, amount('4.00'));
    expect((await capture(paypal, id, {})).body['amount']).toEqual({ currency_code: 'USD', value: '6.00' });
  });

  it('is done with after its final capture, however little that took', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.authorization('a', '10.00');
    await capture(paypal, id, { ...amount('1.00'), final_capture: true });
    expect(await capture(paypal, id, amount('1.00'))).toMatchObject({ issue: 'AUTHORIZATION_ALREADY_CAPTURED' });
  });

  it('is captured at most ten times', async () => {
    const paypal = await Counterpart.start();
    const id = await paypal.authorization('a', '100.00');
    for (let part = 0; part < 10; part += 1) expect((await capture(paypal, id, amount('1.00'))).status).toBe(201);
    expect(await capture(paypal, id, amount('1.00'))).toMatchObject({ issue: 'MAX_CAPTURE_COUNT_EXCEEDED' });
  });

  it.each([
    [amount('5.00', 'EUR'), 'AUTH_CAPTURE_CURRENCY_MISMATCH'],
    [amount('0.00'), 'CANNOT_BE_ZERO_OR_NEGATIVE'],
    [amount('1.005'), 'DECIMAL_PRECISION'],
    [{ final_capture: 'yes' }, 'INVALID_PARAMETER_SYNTAX'],
    [{ note_to_payer: 'n'.repeat(256) }, 'INVALID_STRING_LENGTH'],
  ])('is not captured with %j', async (body, issue) => {
    const paypal = await Counterpart.start();
    expect((await capture(paypal, await paypal.authorization('a'), body)).issue).toBe(issue);
    expect((await paypal.books()).captures).toEqual([]);
  });

  it('takes each invoice once, and none of another order', async () => {
    const paypal = await Counterpart.start();
    const [one, two] = [await paypal.authorization('one', '10.00'), await paypal.authorization('two', '10.00')];
    const used = { ...amount('1.00'), invoice_id: 'invoice-one' };
    expect((await capture(paypal, two, used)).issue).toBe('DUPLICATE_INVOICE_ID');
    expect((await capture(paypal, one, used)).status).toBe(201);
    expect((await capture(paypal, one, used)).issue).toBe('DUPLICATE_INVOICE_ID');
  });

  it('shows what PayPal keeps: never more than was taken', async () => {
    const paypal = await Counterpart.start();
    const fees = [];
    for (const [name, taken] of [
      ['a', '100.00'],
      ['b', '0.10'],
    ] as const) {
      const { body } = await capture(paypal, await paypal.authorization(name, taken), {});
      fees.push(body['seller_receivable_breakdown']);
    }
    expect(fees).toMatchObject([
      { paypal_fee: { value: '3.98' }, net_amount: { value: '96.02' } },
      { paypal_fee: { value: '0.10' }, net_amount: { value: '0.00' } },
    ]);
  });

  it('is released once, and never after a capture', async () => {
    const paypal = await Counterpart.start();
    const [one, two] = [await paypal.authorization('a'), await paypal.authorization('b')];
    expect((await release(paypal, one)).status).toBe(204);
    expect(await release(paypal, one)).toMatchObject({ status: 422, issue: 'PREVIOUSLY_VOIDED' });
    expect(await capture(paypal, one, {})).toMatchObject({ status: 422, issue: 'AUTHORIZATION_VOIDED' });
    await capture(paypal, two, amount('1.00'));
    expect(await release(paypal, two)).toMatchObject({ status: 422, issue: 'PREVIOUSLY_CAPTURED' });
  });

  it('lapses after 29 days: it is void then, and cannot be captured', async () => {
    let time = Date.now();
    const paypal = await Counterpart.start({ now: () => new Date(time) });
    const [one, two] = [await paypal.authorization('a'), await paypal.authorization('b')];
    await capture(paypal, two, {});
    time += 29 * DAY;
    expect((await paypal.client.getAuthorization(one)).status).toBe('CREATED');
    time += 1;
    expect(await capture(paypal, one, {})).toMatchObject({ status: 422, issue: 'AUTHORIZATION_EXPIRED' });
    expect((await paypal.client.getAuthorization(one)).status).toBe('VOIDED');
    expect(await release(paypal, one)).toMatchObject({ issue: 'PREVIOUSLY_VOIDED' });
    expect((await paypal.client.getAuthorization(two)).status).toBe('CAPTURED');
  });

  it('that does not exist is neither captured nor released', async () => {
    const paypal = await Counterpart.start();
    expect(await capture(paypal, 'NOSUCH', {})).toMatchObject({ status: 404, issue: 'INVALID_RESOURCE_ID' });
    expect(await release(paypal, 'NOSUCH')).toMatchObject({ status: 404, issue: 'INVALID_RESOURCE_ID' });
  });
});
