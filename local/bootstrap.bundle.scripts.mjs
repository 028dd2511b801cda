import { writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { builtins } from './bootstrap.bundle.builtins.mjs';
import { ROOT } from './bootstrap.words.mjs';

/** What a start needs before PostgreSQL is told to start, in a script of its own; the other script is given these. */
const EARLY = ['jose', 'lru-cache', 'pg', 'uqr', 'uuidv7'];

/** Other programs' only, or taken into each program by itself: a script is read whole. They have nothing in common with these. */
const ELSEWHERE = [/^@nats-io\//, /^@opentelemetry\/(?!api$)/, /^@theguild\//, /^zod$/];

const WRAPPER = '(function (exports, require, module, __filename, __dirname, __url, __given) {';

/**
 * For esbuild's helper that copies the exports of a package of the older kind for a file of the newer one: 119 such files
 * import graphql, which exports 300 names. One copy serves them all, as long as nothing was exported since.
 */
const SHARING = `const __sharing = (copy) => {
  const copies = [new WeakMap(), new WeakMap()];
  return (module, mode) => {
    if (typeof module !== 'function' && (typeof module !== 'object' || module === null)) return copy(module, mode);
    const [known, size] = [copies[mode ? 1 : 0], Object.getOwnPropertyNames(module).length];
    if (known.get(module)?.size !== size) known.set(module, { size, copied: copy(module, mode) });
    return known.get(module).copied;
  };
};`;
/** The helper as it is minified: `z=(n,e,t)=>(t=n!=null?…:{},…(t,"default",{…}):t,n))`; a line may end anywhere. */
const COPYING = new RegExp(
  String.raw`(ID)=(\(ID,ID,ID\)=>\((ID)=(ID)!=null\?.*?"default",.*?:\3,\4\)\))`
    .replaceAll(/[=,:]|=>/g, String.raw`\s*$&\s*`)
    .replaceAll('ID', String.raw`[\w$]+`),
  's',
);
const LOADER = '../../../../../local/bootstrap.script.mjs';

export function isInScripts(name) {
  return !ELSEWHERE.some((pattern) => pattern.test(name));
}

/**
 * The same packages once more, as two scripts, and beside them for each package a module that exports what it does.
 * @param entries where each package is exported, in a file of the name that it has in `files`
 * @param exported the names that each package exports
 */
export async function bundleScripts(folder, entries, files, exported, options) {
  const names = Object.keys(files).filter(isInScripts);
  const early = names.filter((name) => EARLY.includes(name));
  const isEarly = (name) => early.includes(name);
  await script('early', early, []);
  await script(
    'late',
    names.filter((name) => !isEarly(name)),
    early,
  );
  for (const name of names) writeFileSync(join(folder, files[name]), moduleOf(name));

  async function script(title, packages, given) {
    const entry = join(entries, `${title}.cjs`);
    // Each is begun when it is asked for; by its file, so that all of them are what an `import` finds.
    const lines = packages.map((name) => `exports[${JSON.stringify(name)}] = () => require('./${files[name]}');`);
    writeFileSync(entry, `${lines.join('\n')}\n`);
    const { outputFiles } = await build({
      ...options,
      entryPoints: [entry],
      outfile: join(folder, `${title}.cjs`),
      format: 'cjs',
      banner: { js: `${WRAPPER}${SHARING}` },
      footer: { js: '})' },
      define: {
        'import.meta.url': '__url',
        'import.meta.filename': '__filename',
        'import.meta.dirname': '__dirname',
      },
      plugins: [{ name: 'given', setup: (to) => takeGiven(to, given) }, builtins],
      write: false,
    });
    for (const { path, text } of outputFiles) writeFileSync(path, text.replace(COPYING, '$1=__sharing($2)'));
  }

  function takeGiven({ onResolve, onLoad, resolve }, given) {
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      // Asked by ourselves.
      if (pluginData === given) return null;
      // A package may have one of the same name and another version.
      const found = (from) => resolve(path, { kind, importer, resolveDir: from, pluginData: given });
      if (given.includes(path) && (await found(resolveDir)).path === (await found(ROOT)).path)
        return { path, namespace: 'given' };
      // A script cannot import.
      return kind === 'dynamic-import' && isBuiltin(path) ? { path, namespace: 'builtin' } : null;
    });
    onLoad({ filter: /./, namespace: 'given' }, ({ path }) => ({ contents: taking(path, '__given'), loader: 'js' }));
  }

  function moduleOf(name) {
    const own = isEarly(name) ? 'early' : 'late';
    const load = (title, given) => `packagesIn(new URL('./${title}.cjs', import.meta.url), ${given})`;
    return [
      `import { packagesIn } from '${LOADER}';`,
      `const early = ${load('early', '{}')};`,
      ...(own === 'late' ? [`const late = ${load('late', 'early')};`] : []),
      taking(name, own),
    ].join('\n');
  }

  function taking(name, from) {
    const lines = exported[name].map((each) =>
      each === 'default' ? 'export default taken.default;' : `export const ${each} = taken.${each};`,
    );
    return [`const taken = ${from}[${JSON.stringify(name)}]();`, ...lines].join('\n');
  }
}
