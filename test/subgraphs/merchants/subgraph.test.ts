import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { ConfigurationError } from '../../../subgraphs/kernel/configuration.js';
import { inProcess } from '../../../subgraphs/kernel/graphql/subgraph.js';
import { newSigningKey, PRINCIPAL_HEADER, PrincipalSigner } from '../../../subgraphs/kernel/principal.token.js';
import { merchantsConfiguration } from '../../../subgraphs/merchants/merchants.configuration.js';
import { createMerchants } from '../../../subgraphs/merchants/subgraph.js';
import { asker, codesOf, verifier } from '../../support/ask.js';
import { freshDatabase } from '../../support/database.js';
import { silent } from '../../support/logger.js';
import { type MerchantsWorld, merchantsWorld } from './merchants.world.js';

let world: MerchantsWorld;
beforeAll(async () => {
  world = await merchantsWorld();
});
afterAll(() => world.close());

const open = (databaseUrl: string) => {
  return createMerchants({ databaseUrl, verifier, logger: silent, bus: world.bus, outside: world.outside });
};

describe('The merchants subgraph', () => {
  it('migrates an empty database, also twice and from several processes at once', async () => {
    const url = await freshDatabase('merchants_empty');
    const several = await Promise.all([open(url), open(url), open(url)]);
    await Promise.all(several.map((merchants) => merchants.migrate()));
    await several[0]?.migrate();
    for (const merchants of several) await merchants.ready();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('select count(*)::int as migrations from migration');
    await client.end();
    expect(rows).toEqual([{ migrations: 2 }]);
    await Promise.all(several.map((merchants) => merchants.close()));
  });

  it('is not ready without its database', async () => {
    const merchants = await open('postgresql://merchants:x@127.0.0.1:1/merchants');
    await expect(merchants.ready()).rejects.toThrow();
    await merchants.close();
  });

  it('answers only under a signature of the gateway', async () => {
    const transport = inProcess(world.merchants);
    const forged = await new PrincipalSigner('gateway', newSigningKey().privateKey).sign(asker.operator());
    const query = '{ resolveCode(payload: "x") { kind } }';
    for (const headers of [{}, { [PRINCIPAL_HEADER]: 'x' }, { [PRINCIPAL_HEADER]: forged }])
      expect(codesOf(await transport({ query, headers }))).toEqual(['UNAUTHENTICATED']);
  });

  it('does not start on half a configuration', () => {
    expect(() => merchantsConfiguration({ DATABASE_URL: 'postgresql://x/y' })).toThrow(ConfigurationError);
    expect(() => merchantsConfiguration({})).toThrow(/WECHAT_PAY_MCHID[\s\S]*|NOTIFICATION_BASE_URL/);
  });
});
