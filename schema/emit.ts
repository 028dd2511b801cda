import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'graphql';
import { buildFxSchema } from '../subgraphs/fx/schema.js';
import { buildMerchantsSchema } from '../subgraphs/merchants/schema.js';
import { buildPaymentsSchema } from '../subgraphs/payments/schema.js';
import { buildUsersSchema } from '../subgraphs/users/schema.js';
import { apiSchemaOf, composeSupergraph, printSorted } from './compose.js';

// Writes schema/*.graphql from the code; with `--check` only says whether they are what the code would write.

const FOLDER = join(import.meta.dirname, '..', '..', 'schema');

const subgraphs = [
  { name: 'users', url: 'http://users:4001/graphql', build: buildUsersSchema },
  { name: 'merchants', url: 'http://merchants:4002/graphql', build: buildMerchantsSchema },
  { name: 'payments', url: 'http://payments:4003/graphql', build: buildPaymentsSchema },
  { name: 'fx', url: 'http://fx:4004/graphql', build: buildFxSchema },
];

async function emitted(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const services = [];
  for (const { name, url, build } of subgraphs) {
    const { typeDefs } = await build();
    files.set(`${name}.graphql`, printSorted(typeDefs));
    services.push({ name, url, typeDefs });
  }
  const events = await readFile(join(FOLDER, 'events.graphql'), 'utf8');
  // Nothing listens there: the gateway never asks a virtual subgraph.
  services.push({ name: 'events', url: 'http://events.invalid', typeDefs: parse(events) });
  const supergraph = composeSupergraph(services);
  files.set('supergraph.graphql', supergraph);
  files.set('api.graphql', apiSchemaOf(supergraph));
  return files;
}

async function drifted(files: ReadonlyMap<string, string>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, text] of files) {
    const written = await readFile(join(FOLDER, name), 'utf8').catch(() => null);
    if (written !== text) names.push(name);
  }
  return names;
}

const files = await emitted();
const differing = await drifted(files);
if (process.argv.includes('--check')) {
  if (differing.length > 0) {
    console.error(`Not what the code emits (run \`npm run schema\`): ${differing.join(', ')}`);
    process.exitCode = 1;
  }
} else {
  for (const name of differing) await writeFile(join(FOLDER, name), files.get(name) ?? '');
  console.log(differing.length > 0 ? `wrote ${differing.join(', ')}` : 'nothing to write');
}
