// Given to Node by `--import`: what our programs import from packages comes from their bundle, where there is one.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLES, currentBundle } from './bootstrap.packages.mjs';
import { ROOT } from './bootstrap.words.mjs';

const OURS = pathToFileURL(join(ROOT, 'dist/')).href;
const bundle = currentBundle();

if (bundle) {
  const base = pathToFileURL(join(BUNDLES, bundle.key, '/')).href;
  registerHooks({
    resolve: (specifier, context, next) => {
      const file = bundle.files[specifier];
      if (file === undefined || !context.parentURL?.startsWith(OURS)) return next(specifier, context);
      return { url: base + file, format: 'module', shortCircuit: true };
    },
  });
}
