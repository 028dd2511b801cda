import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inProcess } from '../../../../subgraphs/kernel/graphql/subgraph.js';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { newSigningKey, PRINCIPAL_HEADER, PrincipalSigner } from '../../../../subgraphs/kernel/principal.token.js';
import { asker, codesOf } from '../../../support/ask.js';
import { ada, type UsersWorld, usersWorld } from '../users.world.js';

let world: UsersWorld;
beforeAll(async () => {
  world = await usersWorld();
});
afterAll(() => world.close());

const VIEWER = `query Viewer { viewer { kind scopes
  traveler { id displayName homeMarket { code } wallets { id provider currencyCode label status } } merchants { id } partner { name }
} }`;

describe('The viewer', () => {
  it('is a traveler with home market and wallets', async () => {
    const { travelerId, walletId } = await world.travelerWithWallet();
    const { data, errors } = await world.ask(asker.traveler(travelerId), VIEWER);
    expect(errors).toBeUndefined();
    const wallet = { id: walletId, provider: 'PAYPAL', currencyCode: 'USD', label: 'PayPal a•••@…', status: 'ACTIVE' };
    expect(data).toEqual({
      viewer: {
        kind: 'TRAVELER',
        scopes: [],
        traveler: { id: travelerId, displayName: ada.displayName, homeMarket: { code: 'US' }, wallets: [wallet] },
        merchants: [],
        partner: null,
      },
    });
  });

  it('is a member of staff with the merchants they may act for', async () => {
    const merchantIds = [newId('mer', 'cn'), newId('mer', 'cn')];
    const staff = asker.member(...merchantIds);
    const { data } = await world.ask(staff, VIEWER);
    const merchants = merchantIds.map((id) => ({ id }));
    expect(data).toEqual({
      viewer: { kind: 'MERCHANT', scopes: staff.scopes, traveler: null, merchants, partner: null },
    });
  });

  it('is a partner or an operator', async () => {
    const id = newId('ptr', 'us');
    await world.users.services.partners.register({ id, name: 'Ledgerly', scopes: ['payments:read'] });
    const partner = await world.ask(asker.partner(id), VIEWER);
    expect(partner.data).toMatchObject({ viewer: { kind: 'PARTNER', traveler: null, partner: { name: 'Ledgerly' } } });
    const operator = await world.ask(asker.operator(), VIEWER);
    expect(operator.data).toMatchObject({ viewer: { kind: 'OPERATOR', scopes: ['operate'], merchants: [] } });
  });

  it('must have signed in', async () => {
    const response = await world.ask(asker.stranger, VIEWER);
    expect(response.data).toEqual({ viewer: null });
    expect(codesOf(response)).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await world.ask(asker.payments, VIEWER))).toEqual(['FORBIDDEN']);
  });

  it('is believed only under a signature of the gateway', async () => {
    const transport = inProcess(world.users);
    const forger = new PrincipalSigner('gateway', newSigningKey().privateKey);
    const forged = await forger.sign(asker.operator());
    for (const headers of [{}, { [PRINCIPAL_HEADER]: 'x' }, { [PRINCIPAL_HEADER]: forged }])
      expect(codesOf(await transport({ query: VIEWER, headers }))).toEqual(['UNAUTHENTICATED']);
  });
});
