import { Migration20261122000000 } from './Migration20261122000000.js';

/** In the order in which they are run. */
export const migrations = [Migration20261122000000];
