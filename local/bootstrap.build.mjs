import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PINNED_NODE } from './bootstrap.install.mjs';
import { bundlePackages } from './bootstrap.packages.mjs';
import { OUTPUT, ROOT, SetupFailure, say } from './bootstrap.words.mjs';

const STAMP = join(OUTPUT, '.sources.json');
const FOLDERS = ['connectors', 'gateway', 'local', 'schema', 'subgraphs', 'test'];

/** Whether `dist` was compiled from these very sources: by their times and sizes, which takes milliseconds. */
export function isBuilt() {
  return lastBuild()?.fingerprint === sourcesFingerprint();
}

export function sourcesFingerprint() {
  return fingerprintOf(sources());
}

/** @throws SetupFailure when the compiler refuses the sources: its words are on the screen */
export async function build() {
  const before = sources();
  const removed = lastBuild()?.paths.filter((path) => !before.some((source) => source.path === path)) ?? [];
  say('compiling');
  const compiler = spawn(PINNED_NODE, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', ROOT], {
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise((resolve, reject) => {
    compiler.once('error', reject);
    compiler.once('exit', resolve);
  });
  if (code !== 0) throw new SetupFailure('the sources do not compile: see above');
  await bundlePackages();
  // What has no source any more must not be found by accident.
  for (const path of removed) for (const end of ['.js', '.js.map']) rmSync(outputOf(path, end), { force: true });
  writeFileSync(STAMP, JSON.stringify({ fingerprint: fingerprintOf(before), paths: before.map(({ path }) => path) }));
}

function outputOf(path, end) {
  return join(OUTPUT, path.replace(/\.ts$/, end));
}

function fingerprintOf(files) {
  const hash = createHash('sha256');
  for (const { path, size, time } of files) hash.update(`${path} ${size} ${time}\n`);
  return hash.digest('hex');
}

function sources() {
  const files = FOLDERS.flatMap((folder) => typescriptIn(folder)).sort();
  return [...files, 'tsconfig.json', 'package-lock.json'].map((path) => {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    return { path, size, time: mtimeMs };
  });
}

function typescriptIn(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return typescriptIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function lastBuild() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return null;
  }
}
