import { type Clock, systemClock } from '../kernel/clock.js';
import { migrate, openDatabase, ping } from '../kernel/database.js';
import type { Consumption, EventBus } from '../kernel/event/event-bus.js';
import type { Headers, Subgraph } from '../kernel/graphql/subgraph.js';
import { PRINCIPAL_HEADER, type PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import { PaymentCode } from './code/code.entity.js';
import { CodeService } from './code/code.service.js';
import { CodeWorker } from './code/code.worker.js';
import { ScanService } from './code/scan.service.js';
import type { MerchantsContext, MerchantsServices } from './context.js';
import { createLoaders } from './loaders.js';
import { Merchant, NetworkAccount } from './merchant/merchant.entity.js';
import { MerchantService } from './merchant/merchant.service.js';
import { migrations } from './migrations/migrations.js';
import type { Outside } from './outside.js';
import { reactToPayments } from './reactions.js';
import { notificationRoutes } from './routes.js';
import { buildMerchantsSchema } from './schema.js';

export interface MerchantsOptions {
  readonly databaseUrl: string;
  readonly verifier: PrincipalVerifier;
  readonly logger: Logger;
  /** Where payments says what happened. Not closed with the subgraph. */
  readonly bus: EventBus;
  /** Not closed with the subgraph. */
  readonly outside: Outside;
  readonly now?: Clock;
  readonly onStatement?: (sql: string) => void;
  readonly poolSize?: number;
}

export interface MerchantsSubgraph extends Subgraph {
  /** The use cases, for what seeds and operates without HTTP. */
  readonly services: MerchantsServices;
}

/** Wires the subgraph; nothing listens, connects or consumes yet. */
export async function createMerchants(options: MerchantsOptions): Promise<MerchantsSubgraph> {
  const { databaseUrl, verifier, logger, bus, outside, onStatement, poolSize, now = systemClock } = options;
  const orm = await openDatabase({
    name: 'merchants',
    url: databaseUrl,
    entities: [Merchant, NetworkAccount, PaymentCode],
    migrations,
    onStatement,
    poolSize,
  });
  const merchants = new MerchantService(orm.em, now);
  const services: MerchantsServices = {
    merchants,
    codes: new CodeService(orm.em, outside.network, now),
    scans: new ScanService(orm.em, merchants, outside.network, now),
  };
  const worker = new CodeWorker(services.codes, logger);
  let reactions: Consumption | null = null;

  const contextFor = async (headers: Headers): Promise<MerchantsContext> => {
    const principal = await verifier.verify(headers[PRINCIPAL_HEADER]);
    return { principal, now, loaders: createLoaders(services.merchants, services.codes), ...services };
  };

  return {
    ...(await buildMerchantsSchema()),
    name: 'merchants',
    logger,
    routes: notificationRoutes(outside, services.codes, logger),
    services,
    contextFor,
    migrate: () => migrate(orm, databaseUrl),
    start: async () => {
      worker.start();
      reactions ??= await reactToPayments(bus, services.codes, logger);
    },
    ready: async () => {
      await Promise.all([ping(orm), bus.ready()]);
    },
    close: async () => {
      await worker.stop();
      await reactions?.stop();
      await orm.close();
    },
  };
}
