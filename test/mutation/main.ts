import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../local/postgres.js';
import { printSurvivors, printTotals, type Result } from './report.js';
import { installStryker } from './stryker.install.js';
import { mutate } from './stryker.run.js';
import { targets } from './targets.js';

// `npm run test:mutation [-- target… --changed]`: changes the money core in each way that could be a mistake, and looks
// whether a test notices. README.md says what is known of those that none does.

const LEAST_KILLED = 90;

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('--'));
const unknown = names.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) throw new Error(`There is ${targets.map(({ name }) => name).join(', ')}, and no ${unknown}.`);

const stryker = await installStryker();
if (!stryker) throw new Error('npm could not install Stryker.');
const folder = mkdtempSync(join(tmpdir(), 'sojourn-mutation-'));
const server = await EmbeddedPostgres.start({ folder: join(folder, 'postgres'), disposable: true });
try {
  process.env['TEST_DATABASE_URL'] = server.url('postgres');
  const results: Result[] = [];
  try {
    for (const target of targets.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const began = performance.now();
      const mutants = await mutate(target, stryker, folder, words.includes('--changed'));
      const result = { name: target.name, mutants, seconds: (performance.now() - began) / 1_000 };
      printSurvivors(result);
      results.push(result);
    }
  } finally {
    // Also where a later one could not be run.
    process.exitCode = printTotals(results, LEAST_KILLED) ? 0 : 1;
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
