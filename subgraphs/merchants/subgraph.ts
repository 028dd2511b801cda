import type { WechatPayClient } from '../../connectors/wechat-pay/wechat-pay.client.js';
import type { WechatPayWalletClient } from '../../connectors/wechat-pay/wechat-pay.wallet.client.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import { migrate, openDatabase, ping } from '../kernel/database.js';
import type { Consumption, EventBus } from '../kernel/event/event-bus.js';
import type { Headers, Subgraph } from '../kernel/graphql/subgraph.js';
import { PRINCIPAL_HEADER, type PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import { PaymentCode } from './code/code.entity.js';
import { CodeService } from './code/code.service.js';
import { ScanService } from './code/scan.service.js';
import { WechatPayNetwork } from './code/wechat-pay.client.js';
import type { MerchantsContext, MerchantsServices } from './context.js';
import { createLoaders } from './loaders.js';
import { Merchant, NetworkAccount } from './merchant/merchant.entity.js';
import { MerchantService } from './merchant/merchant.service.js';
import { Migration20261122000000 } from './migrations/Migration20261122000000.js';
import { reactToPayments } from './reactions.js';
import { buildMerchantsSchema } from './schema.js';

export interface MerchantsOptions {
  readonly databaseUrl: string;
  readonly verifier: PrincipalVerifier;
  readonly logger: Logger;
  /** Where payments says what happened. Not closed with the subgraph. */
  readonly bus: EventBus;
  /** Both sides of WeChat Pay. Not closed with the subgraph. */
  readonly wechatPay: { readonly merchant: WechatPayClient; readonly wallet: WechatPayWalletClient };
  /** Where networks reach us, without a slash at its end. */
  readonly notificationBaseUrl: string;
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
  const { databaseUrl, verifier, logger, bus, wechatPay, onStatement, poolSize, now = systemClock } = options;
  const orm = await openDatabase({
    name: 'merchants',
    url: databaseUrl,
    entities: [Merchant, NetworkAccount, PaymentCode],
    migrations: [Migration20261122000000],
    onStatement,
    poolSize,
  });
  const notifyUrl = `${options.notificationBaseUrl}/notifications/wechat-pay`;
  const network = new WechatPayNetwork(wechatPay.merchant, wechatPay.wallet, notifyUrl);
  const merchants = new MerchantService(orm.em, now);
  const services: MerchantsServices = {
    merchants,
    codes: new CodeService(orm.em, network, now),
    scans: new ScanService(orm.em, merchants, network, now),
  };
  let reactions: Consumption | null = null;

  const contextFor = async (headers: Headers): Promise<MerchantsContext> => {
    const principal = await verifier.verify(headers[PRINCIPAL_HEADER]);
    return { principal, now, loaders: createLoaders(services.merchants, services.codes), ...services };
  };

  return {
    ...(await buildMerchantsSchema()),
    name: 'merchants',
    logger,
    routes: [],
    services,
    contextFor,
    migrate: () => migrate(orm, databaseUrl),
    start: async () => {
      reactions ??= await reactToPayments(bus, services.codes, logger);
    },
    ready: async () => {
      await Promise.all([ping(orm), bus.ready()]);
    },
    close: async () => {
      await reactions?.stop();
      await orm.close();
    },
  };
}
