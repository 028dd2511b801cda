import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { PINNED_NODE } from './bootstrap.install.mjs';
import { currentBundle, howBundled, packagesHook } from './bootstrap.packages.mjs';
import { OUTPUT, ROOT, say } from './bootstrap.words.mjs';

/** What a person waits for who types `npm start`: the compiled file with which each process begins. */
const PROGRAMS = ['local/main.js', 'connectors/paypal/simulator/main.js', 'connectors/wechat-pay/simulator/main.js'];

/** The compiler's, which it writes anew with every change of what it compiled, whoever called it. */
const RECORD = join(OUTPUT, '.tsbuildinfo');
const BUNDLER = join(ROOT, 'local', 'bootstrap.bundle.programs.mjs');

/**
 * Ten times V8's own: what a start does a few hundred times is not worth to be optimized, on a core that PostgreSQL and the
 * simulators want meanwhile. What is done often still is, a moment later.
 */
const PATIENTLY = ['--invocation-count-for-maglev=4000', '--invocation-count-for-turbofan=30000'];

export const PROGRAM_BUNDLES = join(ROOT, 'node_modules', '.cache', 'programs');
/** Names the folder of the bundles that are to be used, what they were made of, and the file of each program. */
export const CURRENT_PROGRAMS = join(PROGRAM_BUNDLES, 'current.json');

/** Also where there is nothing to bundle, or no bundle of packages that they could lead to. */
export function areBundled() {
  const packages = currentBundle();
  return packages === null || compiled().length === 0 || currentPrograms(packages) !== null;
}

/** Bundles our own compiled files: else Node looks for, reads and links each of some hundred on its own. */
export async function bundlePrograms() {
  const packages = currentBundle();
  const made = compiled();
  const bundler = spawn(PINNED_NODE, [BUNDLER, keyOf(packages), packages.key, ...made], { stdio: ['ignore', 2, 2] });
  const code = await new Promise((resolve) => {
    bundler.once('error', resolve);
    bundler.once('exit', resolve);
  });
  if (code !== 0) say(`the programs are not bundled (${code}): starting takes longer`);
}

/** The last bundles, where they are of what is compiled now and lead to these packages. */
export function currentPrograms(packages) {
  try {
    const current = JSON.parse(readFileSync(CURRENT_PROGRAMS, 'utf8'));
    return current.key === keyOf(packages) ? current : null;
  } catch {
    return null;
  }
}

/** What Node runs for a compiled program, and with which flags: its bundle, or the file and a hook that finds packages. */
export function commandOf(file) {
  const packages = currentBundle();
  const programs = packages && currentPrograms(packages);
  const bundle = programs?.files[relative(OUTPUT, file).replaceAll(sep, '/')];
  return bundle ? [...PATIENTLY, join(PROGRAM_BUNDLES, programs.key, bundle)] : [...packagesHook(), file];
}

function compiled() {
  return existsSync(RECORD) ? PROGRAMS.filter((program) => existsSync(join(OUTPUT, program))) : [];
}

function keyOf(packages) {
  const { size, mtimeMs } = statSync(RECORD);
  return createHash('sha256')
    .update([howBundled(BUNDLER), ROOT, packages.key, size, mtimeMs, ...PROGRAMS].join('\n'))
    .digest('hex')
    .slice(0, 16);
}
