import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const SOURCE = join(ROOT, 'test', 'bench', 'gateway', 'hive');
/** Goes with node_modules, is never committed, and is nobody's import. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'bench-hive');
const INSTALLED = join(FOLDER, 'node_modules', '.package-lock.json');

/**
 * Hive Gateway is 74 MB in 160 packages: only who runs this benchmark installs it, from a lock file of its own.
 * @returns the program to run; null when npm could not install it
 */
export async function installHive(): Promise<string | null> {
  const program = join(FOLDER, 'hive.process.mjs');
  const fresh =
    existsSync(INSTALLED) && read(join(FOLDER, 'package-lock.json')) === read(join(SOURCE, 'package-lock.json'));
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ['package.json', 'package-lock.json', 'hive.process.mjs'])
    copyFileSync(join(SOURCE, file), join(FOLDER, file));
  if (fresh) return program;
  console.log('Installing Hive Gateway for this benchmark (npm ci in node_modules/.cache/bench-hive), once.');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: FOLDER,
    stdio: ['ignore', 2, 2],
  });
  const [code] = await Promise.race([once(npm, 'exit'), once(npm, 'error').then(() => [1])]);
  return code === 0 ? program : null;
}

function read(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
