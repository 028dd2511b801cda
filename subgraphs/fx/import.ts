import { createReadStream } from 'node:fs';
import { databaseUrl } from '../kernel/configuration.js';
import { migrate, openDatabase } from '../kernel/database.js';
import { messageOf } from '../kernel/error.js';
import { Migration20261122000000 } from './migrations/Migration20261122000000.js';
import { PricingRule } from './quote/pricing-rule.entity.js';
import { Quote } from './quote/quote.entity.js';
import { ReferenceRateService } from './rate/reference-rate.service.js';

/** Imports a file of the ECB: `node dist/subgraphs/fx/import.js eurofxref-hist.csv`. */
const [file] = process.argv.slice(2);
if (!file) {
  process.stderr.write('Name the file to import.\n');
  process.exit(2);
}
const url = databaseUrl('fx');
const orm = await openDatabase({
  name: 'fx-import',
  url,
  entities: [PricingRule, Quote],
  migrations: [Migration20261122000000],
});
try {
  await migrate(orm, url);
  const rates = await new ReferenceRateService(orm.em).import(createReadStream(file));
  process.stdout.write(rates === 0 ? 'This file was imported before.\n' : `${rates} rates.\n`);
} catch (thrown) {
  process.stderr.write(`${messageOf(thrown)}\n`);
  process.exitCode = 1;
} finally {
  await orm.close();
}
