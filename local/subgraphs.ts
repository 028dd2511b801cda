import { setImmediate as turn } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { createFx, type FxSubgraph } from '../subgraphs/fx/subgraph.js';
import { databaseUrl, type SubgraphName } from '../subgraphs/kernel/configuration.js';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import { inProcess } from '../subgraphs/kernel/graphql/subgraph.js';
import { PrincipalSigner, PrincipalVerifier } from '../subgraphs/kernel/principal.token.js';
import { createLogger } from '../subgraphs/kernel/telemetry.js';
import { merchantsConfiguration } from '../subgraphs/merchants/merchants.configuration.js';
import { connectOutside as connectMerchants } from '../subgraphs/merchants/outside.js';
import { createMerchants, type MerchantsSubgraph } from '../subgraphs/merchants/subgraph.js';
import type { PaymentsOptions } from '../subgraphs/payments/options.js';
import { connectOutside as connectPayments } from '../subgraphs/payments/outside.js';
import { createPayments, type PaymentsSubgraph } from '../subgraphs/payments/subgraph.js';
import { createUsers, type UsersSubgraph } from '../subgraphs/users/subgraph.js';
import type { GraphOptions } from './graph.js';
import { seed } from './seed.js';

/** The four of them, wired; their databases are being looked after. */
export interface Subgraphs {
  readonly users: UsersSubgraph;
  readonly merchants: MerchantsSubgraph;
  readonly fx: FxSubgraph;
  readonly payments: PaymentsSubgraph;
  /** Settles when each has its tables, and what is sown there. */
  readonly lookedAfter: Promise<unknown>;
}

/**
 * Wires one after the other; the database of one is looked after while the next one is wired. Payments first, which has
 * most to look after.
 * @param stack closes them, payments before those whom it asks
 */
export async function createSubgraphs(
  { environment, secrets, jobs }: GraphOptions,
  bus: EventBus,
  metrics: Registry,
  stack: AsyncDisposableStack,
): Promise<Subgraphs> {
  const { gateway, payments: paymentsKey } = secrets.internal;
  const verifier = new PrincipalVerifier({ gateway: gateway.publicKey, payments: paymentsKey.publicKey });
  const common = (name: SubgraphName) => ({
    databaseUrl: databaseUrl(name, environment),
    logger: createLogger(name),
    verifier,
    bus,
  });
  // Last in, first out.
  const asked = stack.use(new AsyncDisposableStack());
  const databases = new LookedAfter();
  const others = Promise.withResolvers<PaymentsOptions['others']>();
  const payments = await createPayments({
    ...common('payments'),
    signer: new PrincipalSigner('payments', paymentsKey.privateKey),
    others: once(others.promise),
    outside: connectPayments(environment),
    jobs,
    metrics,
  });
  stack.defer(() => payments.close());
  await databases.add(payments.migrate().then(() => payments.connect()));

  const users = await createUsers({ ...common('users'), personalDataKey: secrets.personalDataKey });
  asked.defer(() => users.close());
  const usersMigrating = users.migrate();
  await databases.add(usersMigrating);

  const outside = connectMerchants(merchantsConfiguration(environment));
  asked.defer(() => outside.close());
  const merchants = await createMerchants({ ...common('merchants'), outside });
  asked.defer(() => merchants.close());
  const merchantsMigrating = merchants.migrate();
  await databases.add(merchantsMigrating);
  const sowing = Promise.all([usersMigrating, merchantsMigrating]);
  await databases.add(sowing.then(() => seed(users.services, merchants.services)));

  const fx = await createFx({ ...common('fx'), source: 'simulated' });
  asked.defer(() => fx.close());
  await databases.add(fx.migrate());
  others.resolve({ users: inProcess(users), merchants: inProcess(merchants), fx: inProcess(fx) });
  return { users, merchants, fx, payments, lookedAfter: databases.done() };
}

/** Those whom payments asks, before they are wired: it asks nothing until all have started. */
function once(wired: Promise<PaymentsOptions['others']>): PaymentsOptions['others'] {
  return {
    users: async (request) => (await wired).users(request),
    merchants: async (request) => (await wired).merchants(request),
    fx: async (request) => (await wired).fx(request),
  };
}

/** What was begun for databases, and is waited for later. */
class LookedAfter {
  private readonly begun: Promise<void>[] = [];

  /** Gives what they have answered its turn. */
  async add(database: Promise<void>): Promise<void> {
    // Who waits for all is told.
    database.catch(() => undefined);
    this.begun.push(database);
    await turn();
  }

  done(): Promise<unknown> {
    return Promise.all(this.begun);
  }
}
