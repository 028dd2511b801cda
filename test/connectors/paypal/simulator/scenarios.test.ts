import { afterEach, describe, expect, it } from '@jest/globals';
import { Scenarios } from '../../../../connectors/paypal/simulator/scenarios.js';
import { Counterpart, captureOf, closeEverything, refusalOf, usd } from '../counterpart.js';

afterEach(closeEverything);

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
});
