import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lockHash, PINNED_NODE } from './bootstrap.install.mjs';
import { ROOT, say } from './bootstrap.words.mjs';

/** What runs as a program of its own; tests and benchmarks load packages as Node does. */
const FOLDERS = ['connectors', 'gateway', 'local', 'schema', 'subgraphs'];
const IMPORTS = [/^(?:import|export) (?!type )[^'"]*?from '([^']+)'/gm, /^import '([^']+)'/gm, /import\('([^']+)'\)/g];

const BUNDLER = join(ROOT, 'local', 'bootstrap.bundle.mjs');

export const BUNDLES = join(ROOT, 'node_modules', '.cache', 'packages');
/** Names the folder of the bundle that is to be used, and which package-lock.json and specifiers it is for. */
export const CURRENT = join(BUNDLES, 'current.json');
/** Of a bundle: where the same packages are as scripts, for programs that are bundled themselves. */
export const SCRIPTS = 'scripts';

/**
 * Bundles the packages that our programs import into a few files, unless that is done: a program loads some 1,500
 * modules less, and is there in half the time. Without a bundle all works as well, only slower.
 */
export async function bundlePackages() {
  const specifiers = importedPackages();
  const key = keyOf(specifiers);
  if (specifiers.length === 0 || currentBundle()?.key === key) return;
  say('bundling the packages');
  const bundler = spawn(PINNED_NODE, [BUNDLER, key, ...specifiers], {
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise((resolve) => {
    bundler.once('error', resolve);
    bundler.once('exit', resolve);
  });
  if (code !== 0) say(`the packages are not bundled (${code}): starting takes longer`);
}

/** What Node is started with, so that a program finds the bundle. */
export function packagesHook() {
  return [`--import=${pathToFileURL(join(ROOT, 'local', 'bootstrap.hook.mjs')).href}`];
}

/** The last bundle, where it is of the packages that are installed. */
export function currentBundle() {
  try {
    const current = JSON.parse(readFileSync(CURRENT, 'utf8'));
    return current.lock === lockHash() ? current : null;
  } catch {
    return null;
  }
}

function importedPackages() {
  const found = FOLDERS.flatMap(typescriptIn).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, specifier]) => specifier));
  });
  return [...new Set(found)].filter((specifier) => !/^(?:\.|node:)/.test(specifier)).sort();
}

function typescriptIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(ROOT, folder, name));
}

function keyOf(specifiers) {
  const how = howBundled(BUNDLER);
  return createHash('sha256')
    .update([how, lockHash(), ...specifiers].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

/** A bundle is of one way to make it, too. */
export function howBundled(bundler) {
  const parts = ['bundle.builtins', 'bundle.scripts', 'script'];
  return [bundler, ...parts.map((part) => join(ROOT, 'local', `bootstrap.${part}.mjs`))]
    .map((file) => readFileSync(file, 'utf8'))
    .join();
}
