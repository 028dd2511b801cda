import type { MerchantsSubgraph } from '../subgraphs/merchants/subgraph.js';
import type { UsersSubgraph } from '../subgraphs/users/subgraph.js';
import { seededCodes } from './seed.codes.js';
import { partner, travelers } from './seed.identities.js';
import { stores } from './seed.stores.js';

/** Puts the people and shops of a development machine in their places. Done again it changes nothing: all ids are fixed. */
export async function seed(users: UsersSubgraph['services'], merchants: MerchantsSubgraph['services']): Promise<void> {
  await Promise.all([seedPeople(users), seedShops(merchants)]);
}

async function seedPeople(users: UsersSubgraph['services']): Promise<void> {
  for (const { walletId, vaultReference, ...traveler } of travelers) {
    await users.travelers.enrol({ ...traveler, homeMarketCode: 'US' });
    await users.wallets.link({
      id: walletId,
      travelerId: traveler.id,
      provider: 'PAYPAL',
      currencyCode: 'USD',
      accountName: traveler.email,
      vaultReference,
    });
  }
  await users.partners.register({ ...partner });
  for (const { merchantId } of stores) await users.partners.grant({ partnerId: partner.id, subjectId: merchantId });
}

async function seedShops(merchants: MerchantsSubgraph['services']): Promise<void> {
  for (const { merchantId, networkMerchantId, name, localName, categoryCode, city } of stores) {
    const accounts = [{ network: 'WECHAT_PAY' as const, networkMerchantId }];
    await merchants.merchants.register({
      id: merchantId,
      name,
      localName,
      categoryCode,
      city,
      countryCode: 'CN',
      accounts,
    });
  }
  for (const { id, merchantId, payload } of seededCodes)
    await merchants.codes.adopt({ id, merchantId, payload, reference: null });
}
