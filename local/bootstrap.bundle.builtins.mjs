import { isBuiltin } from 'node:module';

/**
 * For esbuild: what is imported from Node itself is taken when it is used. Node gives an `import` every export of its
 * module at once, for which it loads much that nobody asks for: `node:http` brings all of its `fetch`.
 */
export const builtins = {
  name: 'builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : null,
    );
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};
