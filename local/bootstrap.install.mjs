import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SetupFailure, say } from './bootstrap.words.mjs';

const OLDEST_NPM = 10;
const PACKAGES = join(ROOT, 'node_modules');
const MARK = join(PACKAGES, '.sojourn-lock');
const WINDOWS = process.platform === 'win32';

/** The Node that everything but this bootstrap runs on: an npm package, pinned in package-lock.json. */
export const PINNED_NODE = join(PACKAGES, 'node', 'bin', WINDOWS ? 'node.exe' : 'node');

/** Whether node_modules is what package-lock.json says. */
export function isInstalled() {
  const wanted = lockHash();
  if (read(MARK) === wanted) return existsSync(PINNED_NODE);
  if (!agreesWithNpm()) return false;
  writeFileSync(MARK, wanted);
  return true;
}

/** @throws SetupFailure with what the person can do */
export async function install() {
  requireNpm();
  say('installing the packages of package-lock.json (npm ci), once: about a minute');
  rmSync(MARK, { force: true });
  // Node and PostgreSQL come as packages with install scripts; package.json lists the ones that may run.
  const code = await npm(['ci', '--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error'], ROOT);
  if (code !== 0)
    throw new SetupFailure(`npm ci ended with ${code}: see above. It needs the npm registry and room on the disk.`);
  if (!existsSync(PINNED_NODE))
    throw new SetupFailure(
      `npm ci left no ${PINNED_NODE}. Are install scripts forbidden (ignore-scripts) in your .npmrc?`,
    );
  writeFileSync(MARK, lockHash());
}

/** Somebody ran npm by hand: npm's own record of what it installed then names the same packages. */
function agreesWithNpm() {
  if (!existsSync(PINNED_NODE)) return false;
  const installed = parse(join(PACKAGES, '.package-lock.json'));
  const wanted = parse(join(ROOT, 'package-lock.json'));
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && !installed[path]),
  );
}

function requireNpm() {
  const agent = /npm\/(\d+)/.exec(process.env.npm_config_user_agent ?? '')?.[1];
  const major = Number(
    agent ?? spawnSync('npm', ['--version'], { shell: WINDOWS, encoding: 'utf8' }).stdout?.split('.')[0],
  );
  if (!(major >= OLDEST_NPM))
    throw new SetupFailure(`npm ${OLDEST_NPM} or newer is needed: npm install --global npm@11`);
}

function npm(args, cwd) {
  // The npm that started us, where one did.
  const cli = process.env.npm_execpath;
  const [command, all] = cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args];
  const child = spawn(command, all, { cwd, stdio: ['ignore', 2, 2], shell: WINDOWS && command === 'npm' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
}

/** Which packages these are. */
export function lockHash() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  return createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
}

function parse(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return null;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
