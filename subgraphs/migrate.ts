import { databaseUrl } from './kernel/configuration.js';
import { createLogger } from './kernel/telemetry.js';
import { migrateDatabase, subgraphNames } from './migrations.js';

/** Brings all four databases up to date. */
const logger = createLogger('migrate');
for (const name of subgraphNames) {
  await migrateDatabase(name, databaseUrl(name));
  logger.info({ database: name }, 'is up to date');
}
