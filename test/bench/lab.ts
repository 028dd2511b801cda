import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabases } from '../../local/databases.js';
import {
  paypalSimulatorEnvironment,
  serviceEnvironment,
  wechatPaySimulatorEnvironment,
} from '../../local/environment.js';
import { EmbeddedPostgres } from '../../local/postgres.js';
import { freePort } from '../../local/running.js';
import { newSecrets, type Secrets } from '../../local/secrets.js';
import { fixedId } from '../../local/seed.id.js';
import { partner } from '../../local/seed.identities.js';
import { type Store, stores } from '../../local/seed.stores.js';
import { Simulator } from '../../local/simulators.js';
import { DevelopmentIssuer } from '../../local/tokens.js';
import { databaseUrl, type Environment } from '../../subgraphs/kernel/configuration.js';
import type { TravelerId, WalletId } from '../../subgraphs/kernel/id.js';
import { PrincipalVerifier } from '../../subgraphs/kernel/principal.token.js';
import { createLogger } from '../../subgraphs/kernel/telemetry.js';
import { createUsers } from '../../subgraphs/users/subgraph.js';

export interface BenchTraveler {
  readonly id: TravelerId;
  readonly walletId: WalletId;
  /** What PayPal calls the wallet. */
  readonly vaultReference: string;
  readonly token: string;
}

export interface LabOptions {
  readonly travelers?: number;
  /** Shops beside the seeded ones, where everything goes well too. */
  readonly shops?: number;
  /** How long the network takes for a refund: its own time, not ours. */
  readonly refundMs?: number;
}

const FIRST_NUMBER = 1_000;

/** What all benchmarks share: a PostgreSQL that does fsync, the simulators, the keys, and people with wallets. */
export class Lab {
  private constructor(
    readonly folder: string,
    /** Where the graph listens, or will. */
    readonly port: number,
    readonly secrets: Secrets,
    readonly environment: Environment,
    readonly issuer: DevelopmentIssuer,
    readonly travelers: readonly BenchTraveler[],
    /** Where everything goes well. */
    readonly store: Store,
    /** The codes of the further shops: merchants learns of them from the network, when they are first scanned. */
    readonly shopCodes: readonly string[],
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async open({ travelers: count = 32, shops = 0, refundMs }: LabOptions = {}): Promise<Lab> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const secrets = await newSecrets();
    await writeFile(join(folder, 'secrets.json'), JSON.stringify(secrets), { mode: 0o600 });
    await noteCommits(folder);
    const databases = await openDatabases(folder, {});
    stack.defer(() => databases.stop());
    const port = await freePort();
    const notifications = `http://127.0.0.1:${port}`;
    const vaults = Array.from({ length: count }, (_, index) => ({ vaultId: vaultOf(index) }));
    const paypal = await Simulator.prepare('paypal', join(folder, 'books', 'paypal'), {
      ...paypalSimulatorEnvironment(secrets, notifications),
      PAYPAL_WALLETS: JSON.stringify(vaults),
    });
    stack.defer(() => paypal.stop());
    const wechatPay = await Simulator.prepare('wechat-pay', join(folder, 'books', 'wechat-pay'), {
      ...withShops(wechatPaySimulatorEnvironment(secrets), shops),
      ...(refundMs !== undefined && { WECHAT_PAY_REFUND_MS: String(refundMs) }),
    });
    stack.defer(() => wechatPay.stop());
    await Promise.all([paypal.start(), wechatPay.start()]);
    const places = { notifications, paypal: paypal.url, wechatPay: wechatPay.url };
    const environment = { ...serviceEnvironment(secrets, places, {}), ...databases.environment };
    const issuer = await DevelopmentIssuer.create(`${notifications}/dev`, secrets.issuer);
    const travelers = await enrol(environment, secrets, issuer, count);
    const [store] = stores;
    if (!store) throw new Error('no store is seeded');
    const shopCodes = Array.from({ length: shops }, (_, index) => codeOf(index));
    return new Lab(folder, port, secrets, environment, issuer, travelers, store, shopCodes, stack.move());
  }

  async close(): Promise<void> {
    await this.stack.disposeAsync();
  }
}

/** Lets PostgreSQL note when each transaction was committed; it must be told before it starts. */
async function noteCommits(folder: string): Promise<void> {
  const server = await EmbeddedPostgres.start({ folder: join(folder, 'postgres') });
  const admin = new pg.Client({ connectionString: server.url('postgres') });
  await admin.connect();
  await admin.query('alter system set track_commit_timestamp = on');
  await admin.end();
  await server.stop();
}

function vaultOf(index: number): string {
  return `bench-${index}`;
}

function codeOf(index: number): string {
  return `wxp://f2f0bench${String(index).padStart(30, '0')}`;
}

function withShops(environment: Environment, count: number): Environment {
  const shops = Array.from({ length: count }, (_, index) => ({
    merchantId: String(1_910_000_000 + index),
    name: `Shop ${index}`,
    localName: `第${index}店`,
    categoryCode: '5812',
    city: 'Chengdu',
    codes: [codeOf(index)],
    scenario: 'ok',
  }));
  const seeded: readonly object[] = JSON.parse(environment['WECHAT_PAY_STORES'] ?? '[]');
  return { ...environment, WECHAT_PAY_STORES: JSON.stringify([...seeded, ...shops]) };
}

/** People with a wallet each, who let the seeded partner see what they pay. */
async function enrol(
  environment: Environment,
  secrets: Secrets,
  issuer: DevelopmentIssuer,
  count: number,
): Promise<BenchTraveler[]> {
  const users = await createUsers({
    databaseUrl: databaseUrl('users', environment),
    verifier: new PrincipalVerifier({}),
    logger: createLogger('bench', 'warn'),
    personalDataKey: secrets.personalDataKey,
  });
  try {
    await users.migrate();
    await users.services.partners.register({ ...partner });
    const enrolled = Array.from({ length: count }, async (_, index): Promise<BenchTraveler> => {
      const id = fixedId('trv', 'us', FIRST_NUMBER + index);
      const walletId = fixedId('wal', 'us', FIRST_NUMBER + index);
      const email = `traveler${index}@example.com`;
      await users.services.travelers.enrol({
        id,
        homeMarketCode: 'US',
        displayName: `T${index}`,
        legalName: `Traveler ${index}`,
        email,
      });
      await users.services.wallets.link({
        id: walletId,
        travelerId: id,
        provider: 'PAYPAL',
        currencyCode: 'USD',
        accountName: email,
        vaultReference: vaultOf(index),
      });
      await users.services.partners.grant({ partnerId: partner.id, subjectId: id });
      const token = await issuer.issue({ kind: 'TRAVELER', subject: id, scopes: [], merchantIds: [] });
      return { id, walletId, vaultReference: vaultOf(index), token };
    });
    return await Promise.all(enrolled);
  } finally {
    await users.close();
  }
}
