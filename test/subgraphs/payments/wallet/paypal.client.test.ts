import { describe, expect, it } from '@jest/globals';
import type { Order, PaypalClient } from '../../../../connectors/paypal/paypal.client.js';
import { PaypalRefusal, PaypalUnknown } from '../../../../connectors/paypal/paypal.errors.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { Money } from '../../../../subgraphs/kernel/money/money.js';
import { PaypalWalletClient } from '../../../../subgraphs/payments/wallet/paypal.client.js';

const paymentId = newId('pay', 'us');
const amount = Money.of(1_411n, 'USD');
const hold = {
  paymentId,
  requestId: paymentId,
  orderId: null,
  merchantId: 'mer',
  merchantName: 'm',
  vaultReference: 'v',
  amount,
  mayBeUnderWay: false,
};
const capture = {
  paymentId,
  requestId: paymentId,
  orderId: 'o',
  authorizationId: 'a',
  amount,
  mayBeUnderWay: false,
};
const release = { authorizationId: 'a', mayBeUnderWay: false };
const refund = { paymentId, refundId: newId('ref', 'us'), captureId: 'c', amount, mayBeUnderWay: false };

type AuthorizationStatus = NonNullable<Order['authorization']>['status'];
const order = (status: AuthorizationStatus | null): Order =>
  ({
    id: 'o',
    status: 'COMPLETED',
    authorization: status && { id: 'a', status, amount, expiresAt: null, reason: null },
    captures: [],
  }) as unknown as Order;
const refusal = (code: string, action: PaypalRefusal['action']) => () =>
  Promise.reject(new PaypalRefusal(code, action));
const lost = () => Promise.reject(new PaypalUnknown('lost'));

/** The table of their answers: how each is understood. The wire itself is tested with the connector. */
const client = (paypal: Partial<PaypalClient>) => new PaypalWalletClient(paypal as PaypalClient);

describe('PayPal as a wallet', () => {
  it.each([
    ['CREATED', 'YES'],
    ['CAPTURED', 'YES'],
    ['PENDING', 'UNKNOWN'],
    ['DENIED', 'NO'],
    ['VOIDED', 'NO'],
  ] as const)('understands an authorization that is %s as %s', async (status, outcome) => {
    expect(await client({ createOrder: async () => order(status) }).authorize(hold)).toMatchObject({ outcome });
  });

  it.each([
    ['INSTRUMENT_DECLINED', 'PAYER_MUST_ACT', 'WALLET_DECLINED'],
    ['PAYER_ACCOUNT_RESTRICTED', 'FINAL', 'WALLET_RESTRICTED'],
    ['PAYER_ACCOUNT_LOCKED_OR_CLOSED', 'FINAL', 'WALLET_CLOSED'],
    ['TRANSACTION_LIMIT_EXCEEDED', 'FINAL', 'WALLET_LIMIT_EXCEEDED'],
    ['ORDER_NOT_APPROVED', 'PAYER_MUST_ACT', 'PAYER_ACTION_REQUIRED'],
  ] as const)('tells %s to the payer as %s', async (code, action, reason) => {
    const paypal = {
      createOrder: async () => order(null),
      authorizeOrder: refusal(code, action),
      getOrder: async () => order(null),
    };
    expect(await client(paypal).authorize(hold)).toMatchObject({ outcome: 'NO', reason, code });
  });

  it('does not believe a decline when the order shows a hold', async () => {
    const paypal = {
      createOrder: async () => order(null),
      authorizeOrder: refusal('INSTRUMENT_DECLINED', 'PAYER_MUST_ACT'),
      getOrder: async () => order('CREATED'),
    };
    expect(await client(paypal).authorize(hold)).toMatchObject({ outcome: 'YES', authorizationId: 'a' });
  });

  it.each(['INVALID_RESOURCE_ID', 'PERMISSION_DENIED'])('takes %s to a question for no no (M10)', async (code) => {
    const getOrder = refusal(code, 'FINAL');
    const known = client({ getOrder });
    expect(await known.authorize({ ...hold, orderId: 'o' })).toMatchObject({ outcome: 'UNKNOWN', orderId: 'o' });
    const declined = refusal('INSTRUMENT_DECLINED', 'PAYER_MUST_ACT');
    const asking = client({ createOrder: async () => order(null), authorizeOrder: declined, getOrder });
    expect(await asking.authorize(hold)).toMatchObject({ outcome: 'UNKNOWN' });
    const captureAuthorization = refusal('AUTHORIZATION_ALREADY_CAPTURED', 'ALREADY_DONE');
    const taking = client({ captureAuthorization, findCapture: refusal(code, 'FINAL') });
    expect(await taking.capture(capture)).toMatchObject({ outcome: 'UNKNOWN' });
  });

  it('believes no refusal of a repetition, but what the order itself shows', async () => {
    const declined = refusal('INSTRUMENT_DECLINED', 'PAYER_MUST_ACT');
    const again = { ...hold, mayBeUnderWay: true };
    const created = { createOrder: async () => order(null), getOrder: async () => order(null) };
    expect(await client({ ...created, authorizeOrder: declined }).authorize(again)).toMatchObject({
      outcome: 'UNKNOWN',
      orderId: 'o',
    });
    expect(await client({ createOrder: async () => order('DENIED') }).authorize(again)).toMatchObject({
      outcome: 'NO',
    });
  });

  it.each([
    ['hold', 'authorize', hold],
    ['take', 'capture', capture],
    ['give free', 'void', release],
    ['give back', 'refund', refund],
  ] as const)('tells a refusal to %s again, which proves nothing, from no answer at all', async (_, call, request) => {
    const refuse = refusal('PAYEE_ACCOUNT_RESTRICTED', 'FINAL');
    const all = (fail: () => Promise<never>) =>
      client({ createOrder: fail, captureAuthorization: fail, voidAuthorization: fail, refundCapture: fail });
    const asking = (fail: () => Promise<never>, mayBeUnderWay: boolean) =>
      all(fail)[call]({ ...request, mayBeUnderWay } as never);
    expect(await asking(refuse, false)).toMatchObject({ outcome: 'NO' });
    expect(await asking(refuse, true)).toMatchObject({ outcome: 'UNKNOWN', refused: true });
    for (const mayBeUnderWay of [true, false]) {
      const answer = await asking(lost, mayBeUnderWay);
      expect(answer).toMatchObject({ outcome: 'UNKNOWN' });
      expect(answer).not.toHaveProperty('refused');
    }
  });

  it.each([
    ['AUTHORIZATION_EXPIRED', 'AUTHORIZATION_EXPIRED'],
    ['AUTHORIZATION_VOIDED', 'AUTHORIZATION_EXPIRED'],
    ['PAYEE_ACCOUNT_RESTRICTED', 'CAPTURE_REFUSED'],
  ])('tells a person what the refusal %s of a capture means: %s', async (code, reason) => {
    const captureAuthorization = refusal(code, 'FINAL');
    expect(await client({ captureAuthorization }).capture(capture)).toMatchObject({ outcome: 'NO', reason, code });
  });

  it('asks no more for a refund when all was given back by another', async () => {
    const refundCapture = refusal('CAPTURE_FULLY_REFUNDED', 'ALREADY_DONE');
    expect(await client({ refundCapture }).refund(refund)).toMatchObject({
      outcome: 'NO',
      reason: 'WALLET_ALREADY_REFUNDED',
    });
  });

  it('hands the order on when it does not know what became of it, and reads it the next time', async () => {
    expect(await client({ createOrder: async () => order(null), authorizeOrder: lost }).authorize(hold)).toMatchObject({
      outcome: 'UNKNOWN',
      orderId: 'o',
    });
    expect(await client({ createOrder: lost }).authorize(hold)).not.toHaveProperty('orderId');
    const reading = client({ getOrder: async () => order('CREATED') });
    expect(await reading.authorize({ ...hold, orderId: 'o' })).toMatchObject({ outcome: 'YES' });
  });

  it.each([
    ['COMPLETED', 'YES'],
    ['PARTIALLY_REFUNDED', 'YES'],
    ['REFUNDED', 'YES'],
    ['PENDING', 'UNKNOWN'],
    ['DECLINED', 'NO'],
    ['FAILED', 'NO'],
  ] as const)('understands a capture that is %s as %s', async (status, outcome) => {
    const captureAuthorization = async () => ({ id: 'c', status, amount, fee: null, reason: null });
    expect(await client({ captureAuthorization }).capture(capture)).toMatchObject({ outcome });
  });

  it('adopts a capture that was made already', async () => {
    const made = { id: 'c', status: 'COMPLETED' as const, amount, fee: null, reason: null };
    const captureAuthorization = refusal('AUTHORIZATION_ALREADY_CAPTURED', 'ALREADY_DONE');
    expect(await client({ captureAuthorization, findCapture: async () => made }).capture(capture)).toMatchObject({
      captureId: 'c',
    });
    expect(await client({ captureAuthorization, findCapture: async () => null }).capture(capture)).toMatchObject({
      outcome: 'UNKNOWN',
    });
  });

  it('cannot give a hold free that was captured', async () => {
    expect(await client({ voidAuthorization: async () => undefined }).void(release)).toEqual({ outcome: 'YES' });
    expect(
      await client({ voidAuthorization: refusal('PREVIOUSLY_CAPTURED', 'ALREADY_DONE') }).void(release),
    ).toMatchObject({ outcome: 'NO' });
    expect(await client({ voidAuthorization: lost }).void(release)).toMatchObject({ outcome: 'UNKNOWN' });
  });

  it.each([
    ['COMPLETED', 'YES'],
    ['PENDING', 'UNKNOWN'],
    ['FAILED', 'NO'],
    ['CANCELLED', 'NO'],
  ] as const)('understands a refund that is %s as %s', async (status, outcome) => {
    const refundCapture = async () => ({ id: 'r', status, amount, reason: null });
    expect(await client({ refundCapture }).refund(refund)).toMatchObject({ outcome });
  });

  it('knows nothing when an answer is lost or our own request was wrong', async () => {
    for (const fail of [
      lost,
      refusal('INVALID_PARAMETER_SYNTAX', 'OUR_BUG'),
      refusal('PREVIOUS_REQUEST_IN_PROGRESS', 'RETRY'),
    ]) {
      const all = client({
        createOrder: fail,
        captureAuthorization: fail,
        voidAuthorization: fail,
        refundCapture: fail,
      });
      const answers = [all.authorize(hold), all.capture(capture), all.void(release), all.refund(refund)];
      for (const answer of await Promise.all(answers)) expect(answer.outcome).toBe('UNKNOWN');
    }
  });
});
