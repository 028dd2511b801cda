import { Migration20261122000000 } from './Migration20261122000000.js';
import { Migration20261125000000 } from './Migration20261125000000.js';
import { Migration20261126010000 } from './Migration20261126010000.js';
import { Migration20261126020000 } from './Migration20261126020000.js';
import { Migration20261127010000 } from './Migration20261127010000.js';
import { Migration20261127020000 } from './Migration20261127020000.js';
import { Migration20261128010000 } from './Migration20261128010000.js';

/** In the order in which they are run. */
export const migrations = [
  Migration20261122000000,
  Migration20261125000000,
  Migration20261126010000,
  Migration20261126020000,
  Migration20261127010000,
  Migration20261127020000,
  Migration20261128010000,
];
