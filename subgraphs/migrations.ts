import type { Constructor, EntityName } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import { Migration20261122000000 as FxMigration } from './fx/migrations/Migration20261122000000.js';
import { PricingRule } from './fx/quote/pricing-rule.entity.js';
import type { SubgraphName } from './kernel/configuration.js';
import { migrate, openDatabase } from './kernel/database.js';
import { Merchant, NetworkAccount } from './merchants/merchant/merchant.entity.js';
import { migrations as merchantsMigrations } from './merchants/migrations/migrations.js';
import { migrations as paymentsMigrations } from './payments/migrations/migrations.js';
import { Payment } from './payments/payment/payment.entity.js';
import { Market } from './users/market/market.entity.js';
import { Migration20261122000000 as UsersMigration } from './users/migrations/Migration20261122000000.js';

/** The ORM wants an entity to open a database; migrations look at none of them. */
const databases: Readonly<Record<SubgraphName, [EntityName[], readonly Constructor<Migration>[]]>> = {
  users: [[Market], [UsersMigration]],
  merchants: [[Merchant, NetworkAccount], merchantsMigrations],
  payments: [[Payment], paymentsMigrations],
  fx: [[PricingRule], [FxMigration]],
};

export const subgraphNames = Object.keys(databases) as SubgraphName[];

/** Brings a subgraph's database up to date, as the subgraph itself does when it starts. Safe to run at any time. */
export async function migrateDatabase(name: SubgraphName, url: string): Promise<void> {
  const [entities, migrations] = databases[name];
  const orm = await openDatabase({ name: `${name}-migrate`, url, entities, migrations });
  try {
    await migrate(orm, url);
  } finally {
    await orm.close();
  }
}
