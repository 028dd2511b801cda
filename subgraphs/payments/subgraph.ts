import type { EntityManager } from '@mikro-orm/postgresql';
import type { PgBoss } from 'pg-boss';
import type { Registry } from 'prom-client';
import { type Clock, systemClock } from '../kernel/clock.js';
import type { SubgraphName } from '../kernel/configuration.js';
import { migrate, ping } from '../kernel/database.js';
import type { EventBus } from '../kernel/event/event-bus.js';
import { OutboxRelay } from '../kernel/event/outbox.js';
import { SubgraphClient } from '../kernel/graphql/subgraph.client.js';
import type { Headers, Subgraph, SubgraphTransport } from '../kernel/graphql/subgraph.js';
import type { PaymentId, RefundId } from '../kernel/id.js';
import { PRINCIPAL_HEADER, type PrincipalSigner, type PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import { AcceptanceService } from './acceptance/acceptance.service.js';
import { AuthorizationService } from './authorization/authorization.service.js';
import { CheckoutService } from './checkout/checkout.service.js';
import { CheckoutWorker } from './checkout/checkout.worker.js';
import { CodeClient } from './checkout/code.client.js';
import { ConfirmationService } from './checkout/confirmation.service.js';
import { PayerClient, VaultClient } from './checkout/payer.client.js';
import { QuoteClient } from './checkout/quote.client.js';
import type { PaymentsContext } from './context.js';
import { type DatabasesOptions, openDatabases } from './databases.js';
import { registerFigures } from './figures.js';
import { createJobs, lookAtQueues } from './jobs.js';
import { LedgerAuditService } from './ledger/audit.service.js';
import { type Discrepancy, findDiscrepancies } from './ledger/books.repository.js';
import { SealWorker } from './ledger/seal.worker.js';
import { createLoaders } from './loaders.js';
import { NotificationService } from './notification/notification.service.js';
import { NotificationWorker } from './notification/notification.worker.js';
import type { Outside } from './outside.js';
import type { Legs } from './payment/payment.repository.js';
import { PaymentService } from './payment/payment.service.js';
import { FindingsService } from './reconciliation/findings.service.js';
import { ReconciliationService } from './reconciliation/reconciliation.service.js';
import { ReconciliationWorker } from './reconciliation/reconciliation.worker.js';
import type { RefundLegs } from './refund/refund.repository.js';
import { RefundService } from './refund/refund.service.js';
import { RefundSaga } from './refund/refund-saga.service.js';
import { ResolutionService } from './review/resolution.service.js';
import { ReviewCaseService } from './review/review-case.service.js';
import { notificationRoutes } from './routes.js';
import { PaymentSaga } from './saga/saga.service.js';
import { SagaWorker } from './saga/saga.worker.js';
import { buildPaymentsSchema } from './schema.js';

export interface PaymentsOptions extends DatabasesOptions {
  readonly verifier: PrincipalVerifier;
  /** Signs what payments itself asks of the others. */
  readonly signer: PrincipalSigner;
  readonly others: Readonly<Record<Exclude<SubgraphName, 'payments'>, SubgraphTransport>>;
  readonly outside: Outside;
  readonly bus: EventBus;
  /** Where somebody starts it already while this is wired; it ends with the subgraph all the same. */
  readonly jobs?: PgBoss;
  readonly logger: Logger;
  readonly now?: Clock;
  /** Where what is undecided, in review and unsealed is told, if anywhere. */
  readonly metrics?: Registry;
}

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

interface Sagas {
  readonly payments: SagaWorker<Legs>;
  readonly refunds: SagaWorker<RefundLegs>;
}

/** How much: checkouts, payments, refunds and the ledger. */
export async function createPayments(options: PaymentsOptions): Promise<PaymentsSubgraph> {
  const { databaseUrl, verifier, logger, outside, bus, now = systemClock } = options;
  const boss = options.jobs ?? createJobs(databaseUrl, logger);
  const { orm, workersOrm, proofs } = await openDatabases(options);
  const relay = new OutboxRelay(databaseUrl, bus, logger);
  // What a transaction published is on its way as soon as it is committed, without waiting for the relay's next look.
  for (const { em } of [orm, workersOrm])
    em.getEventManager().registerSubscriber({ afterTransactionCommit: async () => relay.wake() });

  const { payments: paymentWorker, refunds: refundWorker } = createSagas(options, workersOrm.em, boss, now);
  const checkoutWorker = new CheckoutWorker(workersOrm.em, boss, now);
  const notificationWorker = new NotificationWorker(workersOrm.em, boss, now);
  const sealWorker = new SealWorker(workersOrm.em, boss, logger, now);
  const reconciliation = new ReconciliationService(databaseUrl, logger, now);
  const reconciliationWorker = new ReconciliationWorker(reconciliation, outside.statements, boss, now);
  const [codes, payers] = [new CodeClient(ask(options, 'merchants')), new PayerClient(ask(options, 'users'))];
  const checkouts = new CheckoutService(orm.em, codes, payers, new QuoteClient(ask(options, 'fx')), now);
  const confirmations = new ConfirmationService(orm.em, codes, payers, paymentWorker, now);
  const payments = new PaymentService(orm.em);
  const refunds = new RefundService(orm.em, refundWorker, now);
  const audits = new LedgerAuditService(proofs.orm.em, now);
  const reviewCases = new ReviewCaseService(orm.em, outside.wallets, outside.networks);
  const resolutions = new ResolutionService(orm.em, outside.networks, paymentWorker, now);
  const notifications = new NotificationService(orm.em, paymentWorker, refundWorker, logger);

  if (options.metrics) registerFigures(options.metrics, workersOrm.em, logger, now);

  const contextFor = async (headers: Headers): Promise<PaymentsContext> => ({
    principal: await verifier.verify(headers[PRINCIPAL_HEADER]),
    checkouts,
    confirmations,
    payments,
    refunds,
    audits,
    reviewCases,
    resolutions,
    findings: new FindingsService(orm.em),
    loaders: createLoaders(orm.em, payments),
    now,
  });

  // The connections of those who work for the queue are made while it looks after its tables.
  const connectAll = async (): Promise<void> => {
    const queues = boss.start().then(() => lookAtQueues(boss));
    await Promise.all([queues, paymentWorker.arrive(), refundWorker.arrive(), ping(workersOrm)]);
  };
  let connected = false;
  const connect = async (): Promise<void> => {
    if (!connected) await connectAll();
    connected = true;
  };

  return {
    ...(await buildPaymentsSchema()),
    name: 'payments',
    logger,
    em: orm.em,
    sagas: { payments: paymentWorker, refunds: refundWorker },
    routes: notificationRoutes(outside, notifications, logger),
    contextFor,
    migrate: () => migrate(orm, databaseUrl),
    connect,
    start: async () => {
      relay.start();
      await connect();
      const workers = [
        paymentWorker,
        refundWorker,
        checkoutWorker,
        notificationWorker,
        sealWorker,
        reconciliationWorker,
      ];
      await Promise.all(workers.map((worker) => worker.start()));
    },
    ready: () => ping(orm),
    findDiscrepancies: () => findDiscrepancies(orm.em.fork()),
    close: async () => {
      await Promise.all([paymentWorker.stop(), refundWorker.stop()]);
      await boss.stop({ graceful: true, timeout: 5_000 });
      await relay.stop();
      await outside.close();
      await proofs.cancel(workersOrm.em);
      await Promise.all([orm.close(), workersOrm.close(), proofs.orm.close()]);
    },
  };
}

function ask(options: PaymentsOptions, name: Exclude<SubgraphName, 'payments'>): SubgraphClient {
  return new SubgraphClient(name, options.others[name], options.signer);
}

function createSagas(options: PaymentsOptions, em: EntityManager, boss: PgBoss, now: Clock): Sagas {
  const { outside, logger } = options;
  const { wallets, networks } = outside;
  const vaults = new VaultClient(ask(options, 'users'));
  const saga = new PaymentSaga(
    em,
    new AuthorizationService(em, vaults, wallets, now),
    new AcceptanceService(em, networks, now),
    logger,
    now,
  );
  const refundSaga = new RefundSaga(em, networks, wallets, logger, now);
  const payments = {
    table: 'payment' as const,
    undecided: "status in ('PROCESSING', 'PAID')",
    advance: (id: string, known: Legs | null) => saga.advance(id as PaymentId, known),
  };
  const refunds = {
    table: 'refund' as const,
    undecided: "leg_status in ('REQUESTED', 'TAKEN')",
    advance: (id: string, known: RefundLegs | null) => refundSaga.advance(id as RefundId, known),
  };
  return {
    payments: new SagaWorker(payments, em, options.databaseUrl, boss, logger, now),
    refunds: new SagaWorker(refunds, em, options.databaseUrl, boss, logger, now),
  };
}
