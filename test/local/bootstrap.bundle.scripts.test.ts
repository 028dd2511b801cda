import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { isOurs, root, sourcesIn } from '../support/sources.js';

const STATIC = /^(?:import|export) (?!type )[^'"`;]*?from\s*'([^']+)'/gm;

it('What a start reads before it tells PostgreSQL to start is in the early script, or taken into the program', () => {
  const sources = new Map(sourcesIn('connectors', 'gateway', 'local', 'subgraphs').map((one) => [one.path, one]));
  const packages = new Set<string>();
  const seen = new Set(['local/main.ts']);
  for (const path of seen) {
    const { text = '', imports = [] } = sources.get(path) ?? {};
    const loaded = [...text.matchAll(STATIC)].map(([, name = '']) => name.replace(/^.*\//, '').replace(/\.js$/, ''));
    for (const imported of imports) {
      const name = imported.replace(/^.*\//, '').replace(/\.[jt]s$/, '');
      if (!loaded.includes(name)) continue;
      if (isOurs(imported)) seen.add(imported);
      else if (!isBuiltin(imported)) packages.add(imported);
    }
  }
  const bundler = readFileSync(join(root, 'local', 'bootstrap.bundle.scripts.mjs'), 'utf8');
  const [, listed = ''] = /const EARLY = \[(.*)\]/.exec(bundler) ?? [];
  const early = listed.split(', ').map((quoted) => quoted.slice(1, -1));
  expect([...packages].filter((name) => name !== 'zod').sort()).toEqual(early);
});
