// node local/bootstrap.bundle.programs.mjs KEY PACKAGES PROGRAM…: each compiled program as a few files that lead to those
// of its packages. The compiled files stay as they are, and can be run as well.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { builtins } from './bootstrap.bundle.builtins.mjs';
import { isInScripts } from './bootstrap.bundle.scripts.mjs';
import { BUNDLES, currentBundle, SCRIPTS } from './bootstrap.packages.mjs';
import { CURRENT_PROGRAMS, PROGRAM_BUNDLES } from './bootstrap.programs.mjs';
import { OUTPUT } from './bootstrap.words.mjs';

const [key, packagesKey, ...programs] = process.argv.slice(2);
const packages = currentBundle();
if (packages?.key !== packagesKey) throw new Error('the bundle of the packages was replaced meanwhile');

const folder = join(PROGRAM_BUNDLES, key);
const unfinished = `${folder}.${process.pid}`;
const files = Object.fromEntries(
  programs.map((program) => [program, `${program.replace(/\.js$/, '').replaceAll('/', '_')}/main.mjs`]),
);

/** With what each begins. Bundles are ASCII: Node, which expects UTF-8, needs longer to decode them than to run them. */
const MAIN = `const { readFileSync } = process.getBuiltinModule('node:fs');
const { registerHooks } = process.getBuiltinModule('node:module');
const { fileURLToPath } = process.getBuiltinModule('node:url');
const BUNDLED = ${JSON.stringify([PROGRAM_BUNDLES, BUNDLES].map((place) => pathToFileURL(join(place, '/')).href))};
registerHooks({
  load: (url, context, next) =>
    BUNDLED.some((place) => url.startsWith(place))
      ? { format: 'module', source: readFileSync(fileURLToPath(url), 'latin1'), shortCircuit: true }
      : next(url, context),
});
await import('./program.mjs');
process.emit('programReady');
`;

/** Of what a bundle asks where it is (`import.meta.resolve`): other programs, and packages. */
const places = Object.fromEntries([
  ...Object.entries(files).map(([program, file]) => [urlOf(OUTPUT, program), urlOf(folder, file)]),
  ...Object.entries(packages.files).map(([name, file]) => [name, urlOf(BUNDLES, packages.key, file)]),
]);

/** From a program's folder to the bundle of a package. */
const toPackages = {
  name: 'packages',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[^./]/ }, ({ path }) => {
      // Each program takes in the part that it uses, which as a namespace esbuild can tell: most of it nobody does.
      if (path === 'zod') return null;
      const file = packages.files[path];
      const place = isInScripts(path) ? `${SCRIPTS}/${file}` : file;
      if (file) return { path: `../../../packages/${packages.key}/${place}`, external: true };
      return isBuiltin(path) ? { path, external: true } : { errors: [{ text: `${path} is not bundled` }] };
    });
  },
};

/** As our compiler writes it. Taken in by esbuild, each file would get a copy of all that the module exports. */
const BUILTIN = /^import (.+) from '(node:[^']+)';/gm;

function taking(names, name) {
  const taken = names.replaceAll(' as ', ': ').replace(/^\*: /, '');
  return `const ${taken} = process.getBuiltinModule('${name}');`;
}

/** A file that looks for others beside it looks where it was compiled to. */
const inTheirPlaces = {
  name: 'places',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(OUTPUT)) return null;
      const here = urlOf(path);
      const values = {
        url: JSON.stringify(here),
        dirname: JSON.stringify(dirname(path)),
        filename: JSON.stringify(path),
        resolve: `((name) => (${JSON.stringify(places)})[name.startsWith('.') ? new URL(name, ${JSON.stringify(here)}).href : name])`,
      };
      const text = readFileSync(path, 'utf8')
        .replaceAll(/^import \{ z \} from 'zod';/gm, "import * as z from 'zod';")
        .replaceAll(BUILTIN, (_, names, name) => taking(names, name));
      const contents = text.replaceAll(/\bimport\.meta\.(url|dirname|filename|resolve)\b/g, (_, name) => values[name]);
      return { contents, loader: 'js' };
    });
  },
};

await Promise.all(
  Object.entries(files).map(async ([program, file]) => {
    const outdir = dirname(join(unfinished, file));
    await build({
      entryPoints: { program: join(OUTPUT, program) },
      outdir,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      charset: 'ascii',
      // The ORM and type-graphql know classes by their names.
      keepNames: true,
      legalComments: 'none',
      outExtension: { '.js': '.mjs' },
      logLevel: 'error',
      plugins: [builtins, toPackages, inTheirPlaces],
    });
    writeFileSync(join(unfinished, file), MAIN);
  }),
);
rmSync(folder, { recursive: true, force: true });
renameSync(unfinished, folder);
writeFileSync(`${CURRENT_PROGRAMS}.${process.pid}`, JSON.stringify({ key, files }));
renameSync(`${CURRENT_PROGRAMS}.${process.pid}`, CURRENT_PROGRAMS);
for (const name of readdirSync(PROGRAM_BUNDLES))
  if (name !== key && join(PROGRAM_BUNDLES, name) !== CURRENT_PROGRAMS)
    rmSync(join(PROGRAM_BUNDLES, name), { recursive: true, force: true });

function urlOf(...path) {
  return pathToFileURL(join(...path)).href;
}
