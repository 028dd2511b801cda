import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SOURCE = join(ROOT, 'test', 'mutation', 'stryker');
/** Goes with node_modules, is never committed, and is nobody's import. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'mutation-stryker');
const INSTALLED = join(FOLDER, 'node_modules', '.package-lock.json');

/**
 * Stryker is 60 MB in 160 packages: only who runs mutation tests installs it, from a lock file of its own.
 * @returns the program to run; null when npm could not install it
 */
export async function installStryker(): Promise<string | null> {
  const stryker = join(FOLDER, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
  const fresh =
    existsSync(INSTALLED) && read(join(FOLDER, 'package-lock.json')) === read(join(SOURCE, 'package-lock.json'));
  if (fresh) return stryker;
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(SOURCE, file), join(FOLDER, file));
  console.log('Installing Stryker for mutation tests (npm ci in node_modules/.cache/mutation-stryker), once.');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: FOLDER,
    stdio: ['ignore', 2, 2],
  });
  const [code] = await Promise.race([once(npm, 'exit'), once(npm, 'error').then(() => [1])]);
  return code === 0 ? stryker : null;
}

function read(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
