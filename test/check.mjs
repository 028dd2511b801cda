// `npm run check`: everything about the sources that is not a test. All checks run, even after one has failed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = join(root, 'node_modules');

// Left alone, it paints every character also into files.
const colors = process.stdout.isTTY ? [] : ['--colors=off'];

const checks = [
  [
    'format and lint (npm run fix mends most)',
    () => node(join(packages, '@biomejs', 'biome', 'bin', 'biome'), 'ci', '.', ...colors),
  ],
  ['types', () => node(join(packages, 'typescript', 'bin', 'tsc'), '-p', root, '--noEmit', '--incremental', 'false')],
  [
    'schema/ is what the code says (npm run schema writes it)',
    () => node(join(root, 'dist', 'schema', 'emit.js'), '--check'),
  ],
  ['no package-lock.json names a registry host', locksNameNoHost],
];

const failed = checks.filter(([name, holds]) => {
  const ok = holds();
  console.log(`${ok ? 'ok     ' : 'FAILED '} ${name}`);
  return !ok;
});
process.exitCode = failed.length > 0 ? 1 : 0;

function node(...command) {
  return spawnSync(process.execPath, command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** A host in the lock file would be asked by everybody's `npm ci`, whatever registry theirs is. */
function locksNameNoHost() {
  const locks = [
    'package-lock.json',
    join('test', 'bench', 'gateway', 'hive', 'package-lock.json'),
    join('test', 'mutation', 'stryker', 'package-lock.json'),
  ];
  return locks.every((lock) => !/"resolved": *"https?:/.test(readFileSync(join(root, lock), 'utf8')));
}
