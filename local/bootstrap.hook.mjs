// Given to Node by `--import`: what our programs import from packages comes from their bundle, and a program that is
// bundled itself from its own, where there are any.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUNDLES, currentBundle } from './bootstrap.packages.mjs';
import { currentPrograms, PROGRAM_BUNDLES } from './bootstrap.programs.mjs';
import { OUTPUT } from './bootstrap.words.mjs';

const OURS = pathToFileURL(join(OUTPUT, '/')).href;
const packages = currentBundle();

if (packages) {
  const base = pathToFileURL(join(BUNDLES, packages.key, '/')).href;
  const programs = programsOf(packages);
  registerHooks({
    resolve: (specifier, context, next) => {
      // Nobody imports what a process or a thread begins with.
      const url = context.parentURL === undefined ? programs.get(specifier) : bundled(specifier, context.parentURL);
      return url ? { url, format: 'module', shortCircuit: true } : next(specifier, context);
    },
  });

  function bundled(specifier, parent) {
    const file = packages.files[specifier];
    return file !== undefined && parent.startsWith(OURS) ? base + file : undefined;
  }
}

/** From the URL of a compiled file to that of its bundle. */
function programsOf(packages) {
  const programs = currentPrograms(packages);
  if (!programs) return new Map();
  const base = pathToFileURL(join(PROGRAM_BUNDLES, programs.key, '/')).href;
  return new Map(Object.entries(programs.files).map(([program, file]) => [OURS + program, base + file]));
}
