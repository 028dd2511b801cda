import { type Clock, systemClock } from '../kernel/clock.js';
import { migrate, openDatabase, ping } from '../kernel/database.js';
import type { Headers, Subgraph } from '../kernel/graphql/subgraph.js';
import { PRINCIPAL_HEADER, type PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import type { UsersContext, UsersServices } from './context.js';
import { createLoaders } from './loaders.js';
import { Market } from './market/market.entity.js';
import { MarketService } from './market/market.service.js';
import { SpendingLimit } from './market/spending-limit.entity.js';
import { Migration20261122000000 } from './migrations/Migration20261122000000.js';
import { Partner, PartnerGrant } from './partner/partner.entity.js';
import { PartnerService } from './partner/partner.service.js';
import { PayerService } from './payer/payer.service.js';
import { MasterKey } from './personal-data/master-key.js';
import { SubjectKeys } from './personal-data/subject-key.repository.js';
import { buildUsersSchema } from './schema.js';
import { Traveler } from './traveler/traveler.entity.js';
import { TravelerService } from './traveler/traveler.service.js';
import { Wallet } from './wallet/wallet.entity.js';
import { WalletService } from './wallet/wallet.service.js';

export interface UsersOptions {
  readonly databaseUrl: string;
  readonly verifier: PrincipalVerifier;
  readonly logger: Logger;
  /** 32 bytes in base64: wraps the keys under which personal data is sealed. */
  readonly personalDataKey: string;
  readonly now?: Clock;
  readonly onStatement?: (sql: string) => void;
  readonly poolSize?: number;
}

export interface UsersSubgraph extends Subgraph {
  /** The use cases, for what seeds and operates without HTTP. */
  readonly services: UsersServices;
}

/** Wires the subgraph; nothing listens or connects yet. @throws ConfigurationError for an unusable key */
export async function createUsers(options: UsersOptions): Promise<UsersSubgraph> {
  const { databaseUrl, verifier, logger, onStatement, poolSize, now = systemClock } = options;
  const keys = new SubjectKeys(new MasterKey(options.personalDataKey));
  const orm = await openDatabase({
    name: 'users',
    url: databaseUrl,
    entities: [Market, SpendingLimit, Traveler, Wallet, Partner, PartnerGrant],
    migrations: [Migration20261122000000],
    onStatement,
    poolSize,
  });
  const services: UsersServices = {
    travelers: new TravelerService(orm.em, keys, now),
    wallets: new WalletService(orm.em, keys, now),
    markets: new MarketService(orm.em, now),
    partners: new PartnerService(orm.em, now),
    payers: new PayerService(orm.em, now),
  };

  const contextFor = async (headers: Headers): Promise<UsersContext> => {
    const principal = await verifier.verify(headers[PRINCIPAL_HEADER]);
    return { principal, loaders: createLoaders(services, principal), ...services };
  };

  return {
    ...(await buildUsersSchema()),
    name: 'users',
    logger,
    routes: [],
    services,
    contextFor,
    migrate: () => migrate(orm, databaseUrl),
    start: async () => undefined,
    ready: () => ping(orm),
    close: () => orm.close(),
  };
}
