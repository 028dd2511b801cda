import type { PageRequest } from '../subgraphs/kernel/page.js';
import type { MerchantsSubgraph } from '../subgraphs/merchants/subgraph.js';
import type { UsersSubgraph } from '../subgraphs/users/subgraph.js';
import { seededCodes } from './seed.codes.js';
import { partner, travelers } from './seed.identities.js';
import { stores } from './seed.stores.js';

/**
 * Puts the people and shops of a development machine in their places, where they are missing: a few reads tell. Done again
 * it changes nothing, also twice at once: all ids are fixed.
 */
export async function seed(users: UsersSubgraph['services'], merchants: MerchantsSubgraph['services']): Promise<void> {
  await Promise.all([seedPeople(users), seedShops(merchants)]);
}

async function seedPeople({ travelers: profiles, wallets, partners }: UsersSubgraph['services']): Promise<void> {
  const ids = travelers.map(({ id }) => id);
  const known = idsOf([...(await profiles.find(ids)), ...(await wallets.findOfTravelers(ids))]);
  for (const { walletId, vaultReference, ...traveler } of travelers) {
    if (!known.has(traveler.id)) await profiles.enrol({ ...traveler, homeMarketCode: 'US' });
    if (known.has(walletId)) continue;
    await wallets.link({
      id: walletId,
      travelerId: traveler.id,
      provider: 'PAYPAL',
      currencyCode: 'USD',
      accountName: traveler.email,
      vaultReference,
    });
  }
  const [registered] = await partners.find([partner.id]);
  const isStill = registered?.name === partner.name && `${registered.scopes}` === `${partner.scopes}`;
  if (!isStill) await partners.register({ ...partner });
  const { rows: grants } = await partners.listGrants(partner.id, everything);
  const seen = new Set(grants.map(({ subjectId }) => subjectId));
  for (const { merchantId } of stores)
    if (!seen.has(merchantId)) await partners.grant({ partnerId: partner.id, subjectId: merchantId });
}

async function seedShops({ merchants, codes }: MerchantsSubgraph['services']): Promise<void> {
  const ids = stores.map(({ merchantId }) => merchantId);
  const known = new Map((await merchants.find(ids)).map((merchant) => [merchant.id, merchant]));
  const numbers = new Set((await merchants.findAccounts(ids)).map((account) => account.networkMerchantId));
  for (const { merchantId, networkMerchantId, name, localName, categoryCode, city } of stores) {
    const facts = { name, localName, categoryCode, city, countryCode: 'CN' };
    const merchant = known.get(merchantId);
    if (merchant?.origin === 'REGISTERED' && merchant.isStill(facts) && numbers.has(networkMerchantId)) continue;
    const accounts = [{ network: 'WECHAT_PAY' as const, networkMerchantId }];
    await merchants.register({ id: merchantId, ...facts, accounts });
  }
  const adopted = idsOf([...(await codes.listPages(ids, everything)).values()].flatMap(({ rows }) => rows));
  for (const { id, merchantId, payload } of seededCodes)
    if (!adopted.has(id)) await codes.adopt({ id, merchantId, payload, reference: null });
}

/** More than was sown; what lies beyond is looked for by its id. */
const everything: PageRequest = { limit: 100, after: null, before: null, backward: true };

function idsOf(rows: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(rows.map(({ id }) => id));
}
