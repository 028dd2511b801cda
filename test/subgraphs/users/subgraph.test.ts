import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createUsers } from '../../../subgraphs/users/subgraph.js';
import { usersConfiguration } from '../../../subgraphs/users/users.configuration.js';
import { verifier } from '../../support/ask.js';
import { freshDatabase } from '../../support/database.js';
import { silent } from '../../support/logger.js';
import { personalDataKey } from './users.world.js';

const open = (databaseUrl: string) =>
  createUsers({ databaseUrl, verifier, logger: silent, personalDataKey, poolSize: 2 });

describe('The users subgraph', () => {
  it('migrates an empty database, also twice and from several processes at once', async () => {
    const url = await freshDatabase('users_empty');
    const several = await Promise.all([open(url), open(url), open(url)]);
    await Promise.all(several.map((users) => users.migrate()));
    await several[0]?.migrate();
    for (const users of several) await users.ready();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(`select (select count(*)::int from migration) as migrations,
      (select count(*)::int from market where status = 'LIVE') as live`);
    await client.end();
    expect(rows).toEqual([{ migrations: 1, live: 1 }]);
    await Promise.all(several.map((users) => users.close()));
  });

  it('is not ready without its database', async () => {
    const users = await open('postgresql://users:x@127.0.0.1:1/users');
    await expect(users.ready()).rejects.toThrow();
    await users.close();
  });

  it('does not start without the key for personal data', async () => {
    const options = { databaseUrl: 'postgresql://x', verifier, logger: silent };
    await expect(createUsers({ ...options, personalDataKey: 'short' })).rejects.toThrow('PERSONAL_DATA_KEY');
    expect(() => usersConfiguration({ DATABASE_URL: 'postgresql://x', INTERNAL_PUBLIC_KEYS: '{}' })).toThrow(
      'PERSONAL_DATA_KEY',
    );
  });
});
