import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { serviceEnvironment } from '../../local/environment.js';
import { newSecrets } from '../../local/secrets.js';
import { seededCodes } from '../../local/seed.codes.js';
import { identities, maya, partner } from '../../local/seed.identities.js';
import { seed } from '../../local/seed.js';
import { scenarios, stores } from '../../local/seed.stores.js';
import type { MerchantId } from '../../subgraphs/kernel/id.js';
import { Principal } from '../../subgraphs/kernel/principal.js';
import { merchantsConfiguration } from '../../subgraphs/merchants/merchants.configuration.js';
import { connectOutside } from '../../subgraphs/merchants/outside.js';
import { createMerchants, type MerchantsSubgraph } from '../../subgraphs/merchants/subgraph.js';
import { createUsers, type UsersSubgraph } from '../../subgraphs/users/subgraph.js';
import { verifier } from '../support/ask.js';
import { freshBus, migratedDatabase } from '../support/database.migrated.js';
import { silent } from '../support/logger.js';

const nowhere = 'http://127.0.0.1:9';

let users: UsersSubgraph;
let merchants: MerchantsSubgraph;
let urls: { users: string; merchants: string };
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  urls = {
    users: await migratedDatabase('users'),
    merchants: await migratedDatabase('merchants'),
  };
  const bus = await freshBus();
  stack.defer(() => bus.close());
  const places = { notifications: nowhere, paypal: nowhere, wechatPay: nowhere };
  const environment = serviceEnvironment(await newSecrets(), places, { DATABASE_URL: urls.merchants });
  const outside = connectOutside(merchantsConfiguration(environment));
  stack.defer(() => outside.close());
  const common = { verifier, logger: silent };
  users = await createUsers({
    ...common,
    databaseUrl: urls.users,
    personalDataKey: randomBytes(32).toString('base64'),
  });
  stack.defer(() => users.close());
  merchants = await createMerchants({
    ...common,
    databaseUrl: urls.merchants,
    bus,
    outside,
  });
  stack.defer(() => merchants.close());
  await Promise.all([users.migrate(), merchants.migrate()]);
});

afterAll(() => stack.disposeAsync());

/** Every row of every table, as text. */
async function rowsIn(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    );
    const rows: Record<string, string[]> = {};
    for (const { name } of tables.rows) {
      const found = await client.query<{ line: string }>(
        `select ${pg.escapeIdentifier(name)}::text as line from ${pg.escapeIdentifier(name)} order by 1`,
      );
      rows[name] = found.rows.map(({ line }) => line);
    }
    return rows;
  } finally {
    await client.end();
  }
}

describe('The seed', () => {
  it('changes nothing when it is sown again, also twice at once', async () => {
    await seed(users.services, merchants.services);
    const before = [await rowsIn(urls.users), await rowsIn(urls.merchants)];
    expect(before[0]?.['traveler']).toHaveLength(2);
    expect(before[1]?.['merchant']).toHaveLength(stores.length);
    await Promise.all([seed(users.services, merchants.services), seed(users.services, merchants.services)]);
    expect([await rowsIn(urls.users), await rowsIn(urls.merchants)]).toEqual(before);
  });

  it('gives back what was changed, and nothing else', async () => {
    await seed(users.services, merchants.services);
    const before = [await rowsIn(urls.users), await rowsIn(urls.merchants)];
    const [first] = stores;
    const account = { network: 'WECHAT_PAY' as const, networkMerchantId: first?.networkMerchantId ?? '' };
    const facts = { name: 'Renamed', localName: '改名', categoryCode: '5814', city: 'Chengdu', countryCode: 'CN' };
    const merchantId = first?.merchantId as MerchantId;
    await merchants.services.merchants.register({ id: merchantId, ...facts, accounts: [account] });
    await users.services.partners.register({ ...partner, name: 'Renamed', scopes: [] });
    expect([await rowsIn(urls.users), await rowsIn(urls.merchants)]).not.toEqual(before);
    await seed(users.services, merchants.services);
    expect([await rowsIn(urls.users), await rowsIn(urls.merchants)]).toEqual(before);
  });

  it('holds a shop with a code for each scenario, and one with an EMVCo code too', async () => {
    const kinds = seededCodes.map(
      ({ scenario, payload }) => `${scenario} ${payload.startsWith('wxp://') ? 'wxp' : 'emvco'}`,
    );
    expect(kinds).toEqual([...scenarios.map((scenario) => `${scenario} wxp`), 'ok emvco']);
    for (const { payload, merchantId } of seededCodes) {
      const scanned = await merchants.services.scans.resolve(payload);
      expect(scanned).toMatchObject({ merchant: { id: merchantId } });
    }
  });

  it('lets the partner see every shop, and the member act for every shop', async () => {
    const page = { limit: 100, after: null, before: null, backward: false };
    const { rows } = await users.services.partners.listGrants(partner.id, page);
    expect(rows.map(({ subjectId }) => subjectId).toSorted()).toEqual(stores.map(({ merchantId }) => merchantId));
    const member = new Principal(identities.merchant);
    expect(stores.every(({ merchantId }) => member.mayActFor(merchantId))).toBe(true);
  });

  it('gives each traveler a wallet that PayPal knows, and shows it to nobody else', async () => {
    const [wallet, ...others] = await users.services.wallets.findOfTravelers([maya.id]);
    expect(others).toEqual([]);
    expect(wallet).toMatchObject({ id: maya.walletId, provider: 'PAYPAL', currencyCode: 'USD', status: 'ACTIVE' });
    expect(await users.services.wallets.find([maya.walletId], new Principal(identities.otherTraveler))).toEqual([]);
  });
});
