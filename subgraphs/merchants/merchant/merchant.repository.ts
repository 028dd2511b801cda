import type { EntityManager } from '@mikro-orm/postgresql';
import type { Network } from '../../kernel/graphql/enums.js';
import type { MerchantId } from '../../kernel/id.js';
import { Merchant, type MerchantFacts, NetworkAccount } from './merchant.entity.js';

/** Inserts or updates in one statement, safe from two at once. What a network says never overwrites what was registered. */
export async function upsertMerchant(
  em: EntityManager,
  id: MerchantId,
  facts: MerchantFacts,
  origin: Merchant['origin'],
  now: Date,
): Promise<void> {
  const { name, localName, categoryCode, city, countryCode } = facts;
  await em.execute(
    `insert into merchant (id, name, local_name, category_code, city, country_code, origin, registered_at)
     values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set name = excluded.name, local_name = excluded.local_name,
       category_code = excluded.category_code, city = excluded.city, country_code = excluded.country_code,
       origin = excluded.origin
     where (merchant.origin = 'NETWORK' or excluded.origin = 'REGISTERED')
       and (merchant.name, merchant.local_name, merchant.category_code, merchant.city, merchant.country_code, merchant.origin)
         is distinct from
           (excluded.name, excluded.local_name, excluded.category_code, excluded.city, excluded.country_code, excluded.origin)`,
    [id, name, localName, categoryCode, city, countryCode, origin, now],
  );
}

/** Gives a merchant its number at a network, where both are free. Returns whose the number is then; null: still nobody's. */
export async function insertAccount(
  em: EntityManager,
  network: `${Network}`,
  networkMerchantId: string,
  merchantId: MerchantId,
): Promise<MerchantId | null> {
  await em.execute(
    `insert into network_account (network, network_merchant_id, merchant_id) values (?, ?, ?)
     on conflict do nothing`,
    [network, networkMerchantId, merchantId],
  );
  return (await em.findOne(NetworkAccount, { network, networkMerchantId }))?.merchantId ?? null;
}

/** The merchant that a network knows by this number. */
export async function findByAccount(
  em: EntityManager,
  network: `${Network}`,
  networkMerchantId: string,
): Promise<Merchant | null> {
  const [row] = await em.execute<object[]>(
    `select merchant.* from merchant join network_account on network_account.merchant_id = merchant.id
      where network = ? and network_merchant_id = ?`,
    [network, networkMerchantId],
  );
  return row ? em.map(Merchant, row) : null;
}
