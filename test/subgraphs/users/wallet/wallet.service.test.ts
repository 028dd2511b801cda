import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf, entities } from '../../../support/ask.js';
import { paypal, type UsersWorld, usersWorld } from '../users.world.js';

let world: UsersWorld;
beforeAll(async () => {
  world = await usersWorld();
});
afterAll(() => world.close());

const VAULT = 'query ($id: ID!) { walletVault(walletId: $id) { provider vaultReference status } }';
const WALLET = entities('... on Wallet { id provider currencyCode label status }');

describe('A wallet', () => {
  it('is seen by its owner and by operators, by nobody else', async () => {
    const { travelerId, walletId } = await world.travelerWithWallet();
    const representations = [{ __typename: 'Wallet', id: walletId }];
    const seen = { id: walletId, provider: 'PAYPAL', currencyCode: 'USD', label: 'PayPal a•••@…', status: 'ACTIVE' };
    for (const mayLook of [asker.traveler(travelerId), asker.operator()])
      expect((await world.ask(mayLook, WALLET, { representations })).data?.['_entities']).toEqual([seen]);
    const others = [
      asker.stranger,
      asker.traveler(newId('trv', 'us')),
      asker.member(newId('mer', 'cn')),
      asker.payments,
    ];
    for (const other of others)
      expect((await world.ask(other, WALLET, { representations })).data?.['_entities']).toEqual([null]);
  });

  it('gives its vault reference to the payments service alone', async () => {
    const { travelerId, walletId } = await world.travelerWithWallet();
    const { data } = await world.ask(asker.payments, VAULT, { id: walletId });
    expect(data).toEqual({
      walletVault: { provider: 'PAYPAL', vaultReference: paypal.vaultReference, status: 'ACTIVE' },
    });
    for (const other of [asker.stranger, asker.traveler(travelerId), asker.operator()]) {
      const response = await world.ask(other, VAULT, { id: walletId });
      expect(codesOf(response)).toEqual(['FORBIDDEN']);
      expect(response.data).toBeNull();
    }
  });

  it('has no vault reference where there is no wallet, or its owner was erased', async () => {
    expect(codesOf(await world.ask(asker.payments, VAULT, { id: newId('wal', 'us') }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await world.ask(asker.payments, VAULT, { id: 'wal' }))).toEqual(['INVALID_ID']);
    const { travelerId, walletId } = await world.travelerWithWallet();
    await world.users.services.travelers.erase(travelerId);
    expect(codesOf(await world.ask(asker.payments, VAULT, { id: walletId }))).toEqual(['NOT_FOUND']);
  });

  it('keeps its vault reference when it is suspended, so that a payment under way can repeat its call', async () => {
    const { walletId } = await world.travelerWithWallet();
    await world.users.services.wallets.change(walletId, 'SUSPENDED');
    const { data } = await world.ask(asker.payments, VAULT, { id: walletId });
    expect(data).toMatchObject({ walletVault: { vaultReference: paypal.vaultReference, status: 'SUSPENDED' } });
  });

  it('is suspended, reactivated and closed; closed is for good', async () => {
    const { walletId } = await world.travelerWithWallet();
    const change = (status: 'ACTIVE' | 'SUSPENDED' | 'CLOSED') => world.users.services.wallets.change(walletId, status);
    for (const status of ['SUSPENDED', 'SUSPENDED', 'ACTIVE', 'CLOSED', 'CLOSED'] as const) await change(status);
    await expect(change('ACTIVE')).rejects.toMatchObject({ code: 'WALLET_CLOSED' });
    await expect(change('SUSPENDED')).rejects.toMatchObject({ code: 'WALLET_CLOSED' });
    const unknown = world.users.services.wallets.change(newId('wal', 'us'), 'CLOSED');
    await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is linked once, also by several at once, and only to a traveler who is there', async () => {
    const { travelerId } = await world.travelerWithWallet();
    const id = newId('wal', 'us');
    const link = () => world.users.services.wallets.link({ ...paypal, id, travelerId, accountName: '+1 202 555 0134' });
    await Promise.all([link(), link(), link()]);
    const wallets = await world.users.services.wallets.find([id], asker.operator());
    expect(wallets).toMatchObject([{ label: 'PayPal ••• 0134' }]);

    const nobody = newId('trv', 'us');
    const linkNobody = world.users.services.wallets.link({
      ...paypal,
      id: newId('wal', 'us'),
      travelerId: nobody,
      accountName: 'x',
    });
    await expect(linkNobody).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.users.services.travelers.erase(travelerId);
    const linkErased = world.users.services.wallets.link({
      ...paypal,
      id: newId('wal', 'us'),
      travelerId,
      accountName: 'x',
    });
    await expect(linkErased).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('costs the same number of statements alone and among thirty', async () => {
    const many = await Promise.all(Array.from({ length: 30 }, () => world.travelerWithWallet()));
    const counts: number[] = [];
    for (const some of [many.slice(0, 1), many]) {
      const representations = some.map(({ walletId }) => ({ __typename: 'Wallet', id: walletId }));
      world.statements();
      const { data } = await world.ask(asker.operator(), WALLET, { representations });
      expect(data?.['_entities']).not.toContain(null);
      counts.push(world.statements().length);
    }
    expect(counts).toEqual([2, 2]);
  });
});
