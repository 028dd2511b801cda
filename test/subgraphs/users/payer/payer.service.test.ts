import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf } from '../../../support/ask.js';
import { ada, paypal, type UsersWorld, usersWorld } from '../users.world.js';

const PAYER = `query ($travelerId: ID!, $walletId: ID!, $merchantId: ID!, $countryCode: CountryCode!) {
  checkoutPayer(travelerId: $travelerId, walletId: $walletId, merchantId: $merchantId, network: WECHAT_PAY, countryCode: $countryCode) {
    walletId provider currencyCode marketCode region
    limits { perPayment { amount currencyCode } perYear { amount currencyCode } } partnerIds
  }
}`;

let world: UsersWorld;
let now = new Date('2026-06-01T12:00:00Z');
beforeAll(async () => {
  world = await usersWorld({ now: () => now });
});
afterAll(() => world.close());

const merchantId = newId('mer', 'cn');
const inChina = { merchantId, countryCode: 'CN' };
const reasonOf = (response: Awaited<ReturnType<UsersWorld['ask']>>) =>
  response.errors?.map(({ extensions }) => [
    extensions?.['code'],
    (extensions?.['details'] as { reason?: string })?.reason,
  ]);

describe('The payer of a checkout', () => {
  it('is told to payments with wallet, market and limits, in one statement', async () => {
    const payer = await world.travelerWithWallet();
    world.statements();
    const { data, errors } = await world.ask(asker.payments, PAYER, { ...payer, ...inChina });
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      checkoutPayer: {
        walletId: payer.walletId,
        provider: 'PAYPAL',
        currencyCode: 'USD',
        marketCode: 'US',
        region: 'us',
        limits: {
          perPayment: { amount: '5000.00', currencyCode: 'USD' },
          perYear: { amount: '50000.00', currencyCode: 'USD' },
        },
        partnerIds: [],
      },
    });
    expect(world.statements()).toHaveLength(1);
  });

  it('is told to nobody else', async () => {
    const payer = await world.travelerWithWallet();
    for (const other of [asker.stranger, asker.traveler(payer.travelerId), asker.operator()])
      expect(codesOf(await world.ask(other, PAYER, { ...payer, ...inChina }))).toEqual(['FORBIDDEN']);
  });

  it("cannot use another traveler's wallet, exactly as one that does not exist", async () => {
    const [own, another] = [await world.travelerWithWallet(), await world.travelerWithWallet()];
    const anothers = await world.ask(asker.payments, PAYER, { ...own, walletId: another.walletId, ...inChina });
    const missing = await world.ask(asker.payments, PAYER, { ...own, walletId: newId('wal', 'us'), ...inChina });
    expect(codesOf(anothers)).toEqual(['NOT_FOUND']);
    expect(anothers).toEqual(missing);
    const nobody = await world.ask(asker.payments, PAYER, { ...own, travelerId: newId('trv', 'us'), ...inChina });
    expect(nobody).toEqual(missing);
  });

  it('is not found once erased', async () => {
    const payer = await world.travelerWithWallet();
    await world.users.services.travelers.erase(payer.travelerId);
    expect(codesOf(await world.ask(asker.payments, PAYER, { ...payer, ...inChina }))).toEqual(['NOT_FOUND']);
  });

  it('cannot use a wallet that is suspended or closed', async () => {
    const payer = await world.travelerWithWallet();
    for (const status of ['SUSPENDED', 'CLOSED'] as const) {
      await world.users.services.wallets.change(payer.walletId, status);
      const response = await world.ask(asker.payments, PAYER, { ...payer, ...inChina });
      expect(reasonOf(response)).toEqual([['WALLET_NOT_USABLE', status]]);
    }
  });

  it('must be at home in a live market', async () => {
    const [travelerId, walletId] = [newId('trv', 'us'), newId('wal', 'us')];
    await world.users.services.travelers.enrol({ ...ada, id: travelerId, homeMarketCode: 'GB' });
    await world.users.services.wallets.link({ ...paypal, id: walletId, travelerId, accountName: 'a@b.example' });
    const response = await world.ask(asker.payments, PAYER, { travelerId, walletId, ...inChina });
    expect(reasonOf(response)).toEqual([['MARKET_NOT_LIVE', 'NOT_LIVE']]);
  });

  it('can pay only where a corridor leads', async () => {
    const payer = await world.travelerWithWallet();
    const response = await world.ask(asker.payments, PAYER, { ...payer, merchantId, countryCode: 'KH' });
    expect(reasonOf(response)).toEqual([['MARKET_NOT_LIVE', 'NO_CORRIDOR']]);
  });

  it('has the limits of the day: the newest that began and did not end', async () => {
    const payer = await world.travelerWithWallet();
    await world.sql(`insert into spending_limit values
      ('US', 'WECHAT_PAY', 'USD', 100, 200, '2027-01-01', '2027-02-01'),
      ('US', 'WECHAT_PAY', 'USD', 300, 400, '2028-01-01', null)`);
    const perYearOn = async (day: string) => {
      now = new Date(`${day}T23:59:59Z`);
      const { data } = await world.ask(asker.payments, PAYER, { ...payer, ...inChina });
      return (data as { checkoutPayer: { limits: { perYear: { amount: string } } } }).checkoutPayer.limits.perYear
        .amount;
    };
    expect(await perYearOn('2026-12-31')).toBe('50000.00');
    expect(await perYearOn('2027-01-01')).toBe('2.00');
    expect(await perYearOn('2027-01-31')).toBe('2.00');
    expect(await perYearOn('2027-02-01')).toBe('50000.00');
    expect(await perYearOn('2028-01-01')).toBe('4.00');
    now = new Date('2023-06-01T00:00:00Z');
    const before = await world.ask(asker.payments, PAYER, { ...payer, ...inChina });
    expect(reasonOf(before)).toEqual([['MARKET_NOT_LIVE', 'NO_CORRIDOR']]);
    now = new Date('2026-06-01T12:00:00Z');
  });

  it('names the partners that the traveler or the merchant let see, once each, while the grant holds', async () => {
    const payer = await world.travelerWithWallet();
    const { partners } = world.users.services;
    const [both, merchants, blind] = [newId('ptr', 'us'), newId('ptr', 'us'), newId('ptr', 'us')];
    for (const id of [both, merchants]) await partners.register({ id, name: 'Ledgerly', scopes: ['payments:read'] });
    await partners.register({ id: blind, name: 'Blind', scopes: ['rates:read'] });
    for (const partnerId of [both, blind]) await partners.grant({ partnerId, subjectId: payer.travelerId });
    for (const partnerId of [both, merchants]) await partners.grant({ partnerId, subjectId: merchantId });
    const seenBy = async () => {
      const { data } = await world.ask(asker.payments, PAYER, { ...payer, ...inChina });
      return (data as { checkoutPayer: { partnerIds: string[] } }).checkoutPayer.partnerIds;
    };
    expect(await seenBy()).toEqual([both, merchants]);
    await partners.revoke({ partnerId: merchants, subjectId: merchantId });
    expect(await seenBy()).toEqual([both]);
    await partners.revoke({ partnerId: both, subjectId: merchantId });
    expect(await seenBy()).toEqual([both]);
  });
});
