import type { EntityManager } from '@mikro-orm/postgresql';
import { systemClock } from '../kernel/clock.js';
import { migrate, ping } from '../kernel/database.js';
import { OutboxRelay } from '../kernel/event/outbox.js';
import type { Headers, Subgraph } from '../kernel/graphql/subgraph.js';
import { PRINCIPAL_HEADER } from '../kernel/principal.token.js';
import type { PaymentsContext } from './context.js';
import { openDatabases } from './databases.js';
import { registerFigures } from './figures.js';
import { type Discrepancy, findDiscrepancies } from './ledger/books.repository.js';
import { createLoaders } from './loaders.js';
import { NotificationService } from './notification/notification.service.js';
import type { PaymentsOptions } from './options.js';
import { notificationRoutes } from './routes.js';
import { buildPaymentsSchema } from './schema.js';
import { createServices } from './services.js';
import { createWorkers, type Sagas } from './workers.js';

export interface PaymentsSubgraph extends Subgraph {
  /** What of `start` takes time and needs the tables, but no other subgraph; it may go first. */
  connect(): Promise<void>;
  /** Every contradiction in the books; there must be none. */
  findDiscrepancies(): Promise<Discrepancy[]>;
  /** For tests and audits that look at the rows themselves. */
  readonly em: EntityManager;
  /** What drives payments and refunds, for tests that wait for no timer. */
  readonly sagas: Sagas;
}

/** How much: checkouts, payments, refunds and the ledger. */
export async function createPayments(options: PaymentsOptions): Promise<PaymentsSubgraph> {
  const { databaseUrl, verifier, logger, outside, bus, now = systemClock } = options;
  const databases = await openDatabases(options);
  const { orm, workersOrm, proofs } = databases;
  const relay = new OutboxRelay(databaseUrl, bus, logger);
  // What a transaction published is on its way as soon as it is committed, without waiting for the relay's next look.
  for (const { em } of [orm, workersOrm])
    em.getEventManager().registerSubscriber({ afterTransactionCommit: async () => relay.wake() });

  const workers = createWorkers(options, workersOrm, now);
  const { sagas } = workers;
  const services = createServices(options, databases, sagas, now);
  const notifications = new NotificationService(orm.em, sagas.payments, sagas.refunds, logger);
  if (options.metrics) registerFigures(options.metrics, workersOrm.em, logger, now);

  const contextFor = async (headers: Headers): Promise<PaymentsContext> => ({
    ...services,
    principal: await verifier.verify(headers[PRINCIPAL_HEADER]),
    loaders: createLoaders(orm.em, services.payments),
  });

  return {
    ...(await buildPaymentsSchema()),
    name: 'payments',
    logger,
    em: orm.em,
    sagas,
    routes: notificationRoutes(outside, notifications, logger),
    contextFor,
    migrate: () => migrate(orm, databaseUrl),
    connect: workers.connect,
    start: async () => {
      relay.start();
      await workers.start();
    },
    ready: () => ping(orm),
    findDiscrepancies: () => findDiscrepancies(proofs.orm.em.fork()),
    close: async () => {
      await workers.stop();
      await relay.stop();
      await outside.close();
      await proofs.cancel(workersOrm.em);
      await Promise.all([orm.close(), workersOrm.close(), proofs.orm.close()]);
    },
  };
}
