import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Compiled: jest's transform does not apply to global files.
import { EmbeddedPostgres } from '../../dist/local/postgres.js';

/** One PostgreSQL for the whole run; each test file copies its databases from templates. */
export default async function () {
  const folder = mkdtempSync(join(tmpdir(), 'sojourn-test-'));
  const server = await EmbeddedPostgres.start({ folder, disposable: true });
  globalThis.__POSTGRES__ = { server, folder };
  process.env.TEST_DATABASE_URL = server.url('postgres');
}
