import { PgBoss } from 'pg-boss';
import { createFx } from '../../subgraphs/fx/subgraph.js';
import type { SubgraphName } from '../../subgraphs/kernel/configuration.js';
import { PostgresEventBus } from '../../subgraphs/kernel/event/event-bus.postgres.js';
import { migrateDatabase, subgraphNames } from '../../subgraphs/migrations.js';
import { verifier } from './ask.js';
import { freshDatabase } from './database.js';
import { silent } from './logger.js';

/** A database as a subgraph finds it when it starts a second time: its tables, and what it ships. */
export function migratedDatabase(name: SubgraphName): Promise<string> {
  return freshDatabase(name, async (template) => {
    await migrateDatabase(name, template);
    if (name === 'payments') await installJobs(template);
    if (name === 'fx') await importRates(template);
  });
}

/** One for each of the subgraphs. */
export async function migratedDatabases(): Promise<Record<SubgraphName, string>> {
  const made = subgraphNames.map(async (name) => [name, await migratedDatabase(name)] as const);
  return Object.fromEntries(await Promise.all(made)) as Record<SubgraphName, string>;
}

/** A database with the tables of a bus. */
export function busDatabase(): Promise<string> {
  return freshDatabase('bus', async (template) => {
    const bus = await PostgresEventBus.open(template, silent);
    await bus.close();
  });
}

/** A bus of its own. */
export async function freshBus(): Promise<PostgresEventBus> {
  return PostgresEventBus.open(await busDatabase(), silent);
}

/** The tables that the job queue creates at its first start. */
async function installJobs(url: string): Promise<void> {
  const boss = new PgBoss({ connectionString: url, schedule: false, supervise: false });
  await boss.start();
  await boss.stop({ graceful: false });
}

/** Five years of reference rates. */
async function importRates(url: string): Promise<void> {
  const bus = await freshBus();
  const fx = await createFx({ databaseUrl: url, verifier, logger: silent, bus, source: 'simulated' });
  await fx.migrate();
  await fx.close();
  await bus.close();
}
