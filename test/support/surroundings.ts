import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { simulatorOptions } from '../../connectors/paypal/simulator/simulator.configuration.js';
import { startSimulator as startPaypal } from '../../connectors/paypal/simulator/simulator.js';
import { readSettings } from '../../connectors/wechat-pay/simulator/settings.js';
import { startSimulator as startWechatPay } from '../../connectors/wechat-pay/simulator/simulator.js';
import { wechatPayConfiguration, wechatPayVariables } from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import {
  paypalSimulatorEnvironment,
  serviceEnvironment,
  wechatPaySimulatorEnvironment,
} from '../../local/environment.js';
import { newSecrets } from '../../local/secrets.js';
import { seed } from '../../local/seed.js';
import { createFx } from '../../subgraphs/fx/subgraph.js';
import type { Environment, SubgraphName } from '../../subgraphs/kernel/configuration.js';
import { PostgresEventBus } from '../../subgraphs/kernel/event/event-bus.postgres.js';
import type { Subgraph } from '../../subgraphs/kernel/graphql/subgraph.js';
import { type RunningServer, serveSubgraph } from '../../subgraphs/kernel/graphql/subgraph.server.js';
import { PrincipalSigner, PrincipalVerifier } from '../../subgraphs/kernel/principal.token.js';
import { connectOutside } from '../../subgraphs/merchants/outside.js';
import { createMerchants } from '../../subgraphs/merchants/subgraph.js';
import { createUsers } from '../../subgraphs/users/subgraph.js';
import { busDatabase, migratedDatabases } from './database.migrated.js';
import { FaultProxy } from './fault.proxy.js';
import { silent } from './logger.js';

/** Migrated by each itself. */

type Databases = Readonly<Record<SubgraphName | 'bus', string>>;

/**
 * All that payments needs around it to run as a service of its own, which stays while payments dies: its databases, the
 * other subgraphs over HTTP, and the outside world over real HTTP behind faulty lines.
 */
export class Surroundings {
  private constructor(
    /** What the service finds in its environment. */
    readonly environment: Environment,
    readonly databases: Databases,
    readonly lines: { readonly paypal: FaultProxy; readonly wechatPay: FaultProxy },
    /** Signs as the gateway does. */
    readonly gateway: PrincipalSigner,
    /** For files of the test; goes with the rest. */
    readonly folder: string,
    private readonly books: { readonly paypal: string; readonly wechatPay: string },
    private readonly stack: AsyncDisposableStack,
  ) {}

  /** @param paymentsUrl where payments listens at the moment: notifications are sent there */
  static async start(paymentsUrl: () => string): Promise<Surroundings> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'sojourn-surroundings-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const secrets = await newSecrets();
    const notifications = await FaultProxy.start(paymentsUrl);
    const paypal = await startPaypal(
      simulatorOptions({
        ...paypalSimulatorEnvironment(secrets, notifications.url),
        BOOKS_DIR: join(folder, 'paypal'),
      }),
    );
    const wechatPay = await startWechatPay(
      readSettings({
        ...wechatPaySimulatorEnvironment(secrets),
        BOOKS_DIR: join(folder, 'wechat-pay'),
        WECHAT_PAY_SLOW_MS: '400',
        WECHAT_PAY_REFUND_MS: '100',
      }),
    );
    const lines = {
      paypal: await FaultProxy.start(() => paypal.url),
      wechatPay: await FaultProxy.start(() => wechatPay.url),
    };
    for (const outside of [paypal.close, wechatPay.stop, ...[lines.paypal, lines.wechatPay, notifications].map(stopOf)])
      stack.defer(outside);
    const [bus, migrated] = await Promise.all([busDatabase(), migratedDatabases()]);
    const databases = { ...migrated, bus };
    const environment = {
      ...serviceEnvironment(
        secrets,
        { notifications: notifications.url, paypal: lines.paypal.url, wechatPay: lines.wechatPay.url },
        {},
      ),
      PAYPAL_CERTIFICATE_HOSTS: `${lines.paypal.url},${paypal.url}`,
      PAYPAL_DEADLINE_MS: '1500',
      WECHAT_PAY_DEADLINE_MS: '1500',
    };
    const { gateway, payments } = secrets.internal;
    const verifier = new PrincipalVerifier({ gateway: gateway.publicKey, payments: payments.publicKey });
    const place = { verifier, logger: silent };
    const servers = await serveOthers(place, secrets.personalDataKey, databases, environment, stack);
    return new Surroundings(
      {
        ...environment,
        HOST: '127.0.0.1',
        PORT: '0',
        DATABASE_URL_PAYMENTS: databases.payments,
        DATABASE_URL_BUS: databases.bus,
        INTERNAL_SIGNING_KEY: payments.privateKey,
        SUBGRAPH_URL_USERS: `${servers.users.url}/graphql`,
        SUBGRAPH_URL_MERCHANTS: `${servers.merchants.url}/graphql`,
        SUBGRAPH_URL_FX: `${servers.fx.url}/graphql`,
      },
      databases,
      lines,
      new PrincipalSigner('gateway', gateway.privateKey),
      folder,
      { paypal: paypal.url, wechatPay: wechatPay.url },
      stack.move(),
    );
  }

  /** What the other sides believe, as `/dev/books` shows it. */
  async readBooks(): Promise<{ paypal: unknown; wechatPay: unknown }> {
    const of = async (url: string): Promise<unknown> => (await fetch(`${url}/books`)).json();
    return { paypal: await of(this.books.paypal), wechatPay: await of(this.books.wechatPay) };
  }

  /** To be asked once payments is gone. */
  async stop(): Promise<void> {
    await this.stack.disposeAsync();
  }
}

async function serveOthers(
  place: { readonly verifier: PrincipalVerifier; readonly logger: typeof silent },
  personalDataKey: string,
  databases: Databases,
  environment: Environment,
  stack: AsyncDisposableStack,
): Promise<Record<'users' | 'merchants' | 'fx', RunningServer>> {
  const bus = await PostgresEventBus.open(databases.bus, silent);
  stack.defer(() => bus.close());
  const { NOTIFICATION_BASE_URL: notificationBaseUrl = '' } = environment;
  const wechatPay = wechatPayConfiguration(z.object(wechatPayVariables).parse(environment));
  const outside = connectOutside({ wechatPay, notificationBaseUrl });
  stack.defer(() => outside.close());
  const users = await createUsers({
    ...place,
    databaseUrl: databases.users,
    personalDataKey,
  });
  const merchants = await createMerchants({
    ...place,
    databaseUrl: databases.merchants,
    bus,
    outside,
  });
  const fx = await createFx({
    ...place,
    databaseUrl: databases.fx,
    bus,
    source: 'simulated',
  });
  await Promise.all([users, merchants, fx].map((subgraph) => subgraph.migrate()));
  await seed(users.services, merchants.services);
  const serve = async (subgraph: Subgraph): Promise<RunningServer> => {
    await subgraph.start();
    stack.defer(() => subgraph.close());
    const server = await serveSubgraph(subgraph, { host: '127.0.0.1', port: 0, metrics: new Registry() });
    stack.defer(() => server.close());
    return server;
  };
  return { users: await serve(users), merchants: await serve(merchants), fx: await serve(fx) };
}

function stopOf(proxy: FaultProxy): () => Promise<void> {
  return () => proxy.stop();
}
