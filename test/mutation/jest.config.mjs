import { dirname, join } from 'node:path';
import config from '../../jest.config.mjs';

const folder = import.meta.dirname;

/** How `jest.runner` runs test files: in Stryker's copy of the tree, against one PostgreSQL for all mutants. */
export default {
  ...config,
  rootDir: dirname(dirname(folder)),
  testEnvironment: join(folder, 'mutation-environment.mjs'),
  cacheDirectory: process.env.MUTATION_CACHE,
  silent: true,
};
