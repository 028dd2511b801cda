import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asker, entities } from '../../../support/ask.js';
import { type UsersWorld, usersWorld } from '../users.world.js';

let world: UsersWorld;
beforeAll(async () => {
  world = await usersWorld();
});
afterAll(() => world.close());

describe('Markets', () => {
  it('are listed for everyone, the live ones first', async () => {
    const query = '{ markets { code name status currencyCode walletProviders } }';
    const { data } = await world.ask(asker.stranger, query);
    const markets = data?.['markets'] as { code: string; status: string }[];
    expect(markets[0]).toEqual({
      code: 'US',
      name: 'United States',
      status: 'LIVE',
      currencyCode: 'USD',
      walletProviders: ['PAYPAL'],
    });
    expect(markets.slice(1).map(({ status }) => status)).toEqual(markets.slice(1).map(() => 'ANNOUNCED'));
    expect(markets.map(({ code }) => code)).toEqual(expect.arrayContaining(['GB', 'DE', 'CA', 'AU', 'JP', 'SG']));
  });

  it('say how much their travelers may spend, and the list costs two statements whatever its length', async () => {
    world.statements();
    const query = '{ markets { code spendingLimits { network perPayment { amount } perYear { formatted } } } }';
    const { data } = await world.ask(asker.stranger, query);
    expect(world.statements()).toHaveLength(2);
    const limits = { network: 'WECHAT_PAY', perPayment: { amount: '5000.00' }, perYear: { formatted: '$50,000.00' } };
    expect(data?.['markets']).toContainEqual({ code: 'US', spendingLimits: [limits] });
    expect(data?.['markets']).toContainEqual({ code: 'GB', spendingLimits: [] });
  });

  it('are found by their code', async () => {
    const representations = ['JP', 'XX', 'US'].map((code) => ({ __typename: 'Market', code }));
    const { data } = await world.ask(asker.stranger, entities('... on Market { name }'), { representations });
    expect(data?.['_entities']).toEqual([{ name: 'Japan' }, null, { name: 'United States' }]);
  });
});
