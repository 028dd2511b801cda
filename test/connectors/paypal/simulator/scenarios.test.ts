import { afterEach, describe, expect, it } from '@jest/globals';
import { Scenarios } from '../../../../connectors/paypal/simulator/scenarios.js';
import { after, systemClock } from '../../../../subgraphs/kernel/clock.js';
import { Counterpart, captureOf, closeEverything, refundOf, refusalOf, usd } from '../counterpart.js';

afterEach(closeEverything);

const wallets = [
  'authorization-pending',
  'authorization-denied',
  'authorization-lapses',
  'capture-pending',
  'capture-denied',
  'capture-declined',
  'refund-pending',
  'refund-fails',
  'holds-less',
  'holds-euros',
  'takes-less',
  'takes-euros',
  'gives-less',
].map((scenario) => ({ vaultId: `vault-${scenario}`, scenario }));

describe('A scenario', () => {
  it('goes by the code that was scanned before the wallet, and only those of this side are played', () => {
    const scenarios = new Scenarios({ 'code-1': 'declined', 'code-2': 'refused', 'code-3': 'ok' }, [
      { vaultId: 'v', scenario: 'capture-fails-once' },
      { vaultId: 'w' },
    ]);
    expect(scenarios.of('code-1', 'v')).toBe('declined');
    expect(scenarios.of('code-2', 'v')).toBe('capture-fails-once');
    expect(scenarios.of('code-2', 'w')).toBeNull();
    expect(scenarios.of('code-3', null)).toBeNull();
    expect(scenarios.of('constructor', 'w')).toBeNull();
  });

  it('“declined” refuses every authorization and holds nothing', async () => {
    const paypal = await Counterpart.start({ scenarios: { reference: 'declined' } });
    const order = await paypal.order('a');
    for (const requestId of ['one', 'two'])
      expect(await refusalOf(paypal.client.authorizeOrder({ requestId, orderId: order.id }))).toMatchObject({
        code: 'INSTRUMENT_DECLINED',
        action: 'PAYER_MUST_ACT',
      });
    expect((await paypal.books()).authorizations).toEqual([]);
  });

  it('“capture-fails-once” fails the first capture without effect, also across a restart, and then takes the money', async () => {
    const paypal = await Counterpart.start();
    const request = captureOf('a', await paypal.authorization('a', '14.11', 'vault-capture-fails-once'));
    expect(await refusalOf(paypal.client.captureAuthorization(request))).toMatchObject({ name: 'PaypalUnknown' });
    expect((await paypal.books()).captures).toEqual([]);
    await paypal.stop();
    await paypal.startAgain();
    expect(await paypal.client.captureAuthorization(request)).toMatchObject({ amount: usd('14.11') });
    expect((await paypal.books()).captures).toHaveLength(1);
  });

  it('holds, takes and gives back only after a while where it is told so, and says so when it is looked at', async () => {
    let ahead = 0;
    const paypal = await Counterpart.start({ now: () => after(systemClock(), ahead), wallets });
    const order = await paypal.order('a', '14.11', 'vault-authorization-pending');
    const request = { requestId: 'a', orderId: order.id };
    expect((await paypal.client.authorizeOrder(request)).authorization).toMatchObject({
      status: 'PENDING',
      reason: 'PENDING_REVIEW',
    });
    const denied = await paypal.order('b', '14.11', 'vault-authorization-denied');
    await paypal.client.authorizeOrder({ requestId: 'b', orderId: denied.id });
    const capture = captureOf('c', await paypal.authorization('c', '14.11', 'vault-capture-pending'));
    expect(await paypal.client.captureAuthorization(capture)).toMatchObject({ status: 'PENDING' });
    const untaken = captureOf('d', await paypal.authorization('d', '14.11', 'vault-capture-denied'));
    await paypal.client.captureAuthorization(untaken);
    const given = refundOf('e', await paypal.capture('e', '14.11', 'vault-refund-pending'), '14.11');
    expect(await paypal.client.refundCapture(given)).toMatchObject({ status: 'PENDING' });
    const kept = refundOf('f', await paypal.capture('f', '14.11', 'vault-refund-fails'), '14.11');
    await paypal.client.refundCapture(kept);
    expect((await paypal.books()).captures.map(({ status }) => status)).not.toContain('REFUNDED');
    ahead = 2_000;
    expect((await paypal.client.authorizeOrder(request)).authorization).toMatchObject({ status: 'CREATED' });
    expect((await paypal.client.getOrder(denied.id)).authorization).toMatchObject({ status: 'DENIED' });
    expect(await paypal.client.captureAuthorization(capture)).toMatchObject({ status: 'COMPLETED' });
    expect(await paypal.client.captureAuthorization(untaken)).toMatchObject({ status: 'DECLINED' });
    expect(await paypal.client.getAuthorization(untaken.authorizationId)).toMatchObject({ status: 'CREATED' });
    expect(await paypal.client.refundCapture(given)).toMatchObject({ status: 'COMPLETED' });
    expect(await paypal.client.getCapture(given.captureId)).toMatchObject({ status: 'REFUNDED' });
    expect(await paypal.client.refundCapture(kept)).toMatchObject({ status: 'FAILED' });
    expect(await paypal.client.getCapture(kept.captureId)).toMatchObject({ status: 'COMPLETED' });
    // What was not given may be given by another refund.
    const later = refundOf('g', kept.captureId, '14.11');
    expect(await paypal.client.refundCapture(later)).toMatchObject({ status: 'PENDING' });
  });

  it('lets a hold be over when it is taken, or takes nothing of it, once it is told so', async () => {
    const paypal = await Counterpart.start({ wallets });
    const lapsed = captureOf('a', await paypal.authorization('a', '14.11', 'vault-authorization-lapses'));
    expect(await refusalOf(paypal.client.captureAuthorization(lapsed))).toMatchObject({
      code: 'AUTHORIZATION_EXPIRED',
      action: 'FINAL',
    });
    const declined = captureOf('b', await paypal.authorization('b', '14.11', 'vault-capture-declined'));
    expect(await paypal.client.captureAuthorization(declined)).toMatchObject({ status: 'DECLINED' });
    await paypal.client.voidAuthorization(declined.authorizationId);
    expect((await paypal.books()).authorizations.map(({ status }) => status)).toEqual(['VOIDED', 'VOIDED']);
  });

  it.each([
    ['holds-less', '14.10 USD', null, null],
    ['holds-euros', '14.11 EUR', null, null],
    ['takes-less', '14.11 USD', '14.10 USD', null],
    ['takes-euros', '14.11 USD', '14.11 EUR', null],
    ['gives-less', '14.11 USD', '14.11 USD', '14.10 USD'],
  ])('“%s” does another amount than was asked for, and says so', async (scenario, held, taken, given) => {
    const paypal = await Counterpart.start({ wallets });
    const { id } = await paypal.order('a', '14.11', `vault-${scenario}`);
    const { authorization } = await paypal.client.authorizeOrder({ requestId: 'a', orderId: id });
    expect(authorization?.amount.toString()).toBe(held);
    if (taken === null) return;
    const capture = await paypal.client.captureAuthorization(captureOf('a', authorization?.id ?? ''));
    expect(capture.amount.toString()).toBe(taken);
    if (given === null) return;
    const refund = await paypal.client.refundCapture(refundOf('a', capture.id, '14.11'));
    expect(refund.amount.toString()).toBe(given);
  });
});
