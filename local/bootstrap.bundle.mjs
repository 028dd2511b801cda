// node local/bootstrap.bundle.mjs KEY SPECIFIER… : what these packages export, in a few files that share what they share.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { builtins } from './bootstrap.bundle.builtins.mjs';
import { bundleScripts } from './bootstrap.bundle.scripts.mjs';
import { lockHash } from './bootstrap.install.mjs';
import { BUNDLES, CURRENT, SCRIPTS } from './bootstrap.packages.mjs';
import { ROOT } from './bootstrap.words.mjs';

const [key, ...specifiers] = process.argv.slice(2);
/** What packages of the older kind find around them. */
const COMMONJS = [
  "import { createRequire as createRequireOf } from 'node:module';",
  'const require = createRequireOf(import.meta.url);',
  'const { filename: __filename, dirname: __dirname } = import.meta;',
].join('\n');

const folder = join(BUNDLES, key);
const [unfinished, entries] = [`${folder}.${process.pid}`, `${folder}.${process.pid}.entries`];
mkdirSync(entries, { recursive: true });
const files = Object.fromEntries(
  specifiers.map((specifier) => [specifier, `${specifier.replace(/[^\w-]+/g, '_')}.mjs`]),
);
const exported = {};
for (const [specifier, file] of Object.entries(files)) {
  exported[specifier] = await exportsOf(specifier);
  writeFileSync(join(entries, file), exporting(exported[specifier], specifier));
}

const options = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // As Node finds them: no `module` field, no conditions but its own.
  mainFields: ['main'],
  conditions: ['node'],
  // The ORM and type-graphql know classes by their names.
  keepNames: true,
  legalComments: 'none',
  // Node reads all of it at each start.
  minify: true,
  charset: 'ascii',
  // An error shows the line that it is of.
  lineLimit: 160,
  logLevel: 'error',
};
await build({
  ...options,
  entryPoints: Object.values(files).map((file) => join(entries, file)),
  outdir: unfinished,
  splitting: true,
  format: 'esm',
  // Else Node reads each file twice to find out what it is.
  outExtension: { '.js': '.mjs' },
  banner: { js: COMMONJS },
  plugins: [builtins],
});
mkdirSync(join(unfinished, SCRIPTS));
await bundleScripts(join(unfinished, SCRIPTS), entries, files, exported, options);
rmSync(folder, { recursive: true, force: true });
renameSync(unfinished, folder);
writeFileSync(`${CURRENT}.${process.pid}`, JSON.stringify({ key, lock: lockHash(), files }));
renameSync(`${CURRENT}.${process.pid}`, CURRENT);
for (const name of readdirSync(BUNDLES))
  if (name !== key && join(BUNDLES, name) !== CURRENT) rmSync(join(BUNDLES, name), { recursive: true, force: true });

/** By name, as Node says they are: a bundler cannot tell what a package of the older kind exports. */
async function exportsOf(specifier) {
  return Object.keys(await import(specifier)).filter((name) => !['__esModule', 'module.exports'].includes(name));
}

function exporting(names, specifier) {
  const from = JSON.stringify(specifier);
  return names.length === 0 ? `import ${from};` : `export { ${names.join(', ')} } from ${from};`;
}
