import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { newId, type TravelerId, type WalletId } from '../../../subgraphs/kernel/id.js';
import { createUsers, type UsersSubgraph } from '../../../subgraphs/users/subgraph.js';
import { type Ask, asking, verifier } from '../../support/ask.js';
import { migratedDatabase } from '../../support/database.migrated.js';
import { silent } from '../../support/logger.js';

export const personalDataKey = randomBytes(32).toString('base64');

/** A users subgraph with a database of its own. */
export interface UsersWorld {
  readonly users: UsersSubgraph;
  readonly url: string;
  readonly ask: Ask;
  /** The SQL statements since the last call. */
  statements(): string[];
  travelerWithWallet(accountName?: string): Promise<{ travelerId: TravelerId; walletId: WalletId }>;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function usersWorld(options: { now?: () => Date } = {}): Promise<UsersWorld> {
  const url = await migratedDatabase('users');
  let seen: string[] = [];
  const users = await createUsers({
    databaseUrl: url,
    verifier,
    logger: silent,
    personalDataKey,
    onStatement: (sql) => seen.push(sql),
    poolSize: 5,
    ...options,
  });
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  return {
    users,
    url,
    ask: asking(users),
    statements: () => {
      const [taken, rest] = [seen, []];
      seen = rest;
      return taken;
    },
    travelerWithWallet: async (accountName = 'ada@example.com') => {
      const [travelerId, walletId] = [newId('trv', 'us'), newId('wal', 'us')];
      await users.services.travelers.enrol({ id: travelerId, homeMarketCode: 'US', ...ada });
      await users.services.wallets.link({ ...paypal, id: walletId, travelerId, accountName });
      return { travelerId, walletId };
    },
    sql: async (text, values) => (await database.query<Record<string, unknown>>(text, values)).rows,
    close: async () => {
      await database.end();
      await users.close();
    },
  };
}

export const ada = { displayName: 'Ada L.', legalName: 'Augusta Ada King', email: 'ada@example.com' };

export const paypal = { provider: 'PAYPAL', currencyCode: 'USD', vaultReference: 'vault-8kd9-secret' } as const;
