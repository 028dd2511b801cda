import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { PgBoss } from 'pg-boss';
import type { Clock } from '../kernel/clock.js';
import { ping } from '../kernel/database.js';
import { SubgraphClient } from '../kernel/graphql/subgraph.client.js';
import type { PaymentId, RefundId } from '../kernel/id.js';
import { AcceptanceService } from './acceptance/acceptance.service.js';
import { AuthorizationService } from './authorization/authorization.service.js';
import { CheckoutWorker } from './checkout/checkout.worker.js';
import { VaultClient } from './checkout/payer.client.js';
import { createJobs, lookAtQueues } from './jobs.js';
import { SealWorker } from './ledger/seal.worker.js';
import { NotificationWorker } from './notification/notification.worker.js';
import type { PaymentsOptions } from './options.js';
import type { Legs } from './payment/payment.repository.js';
import { ReconciliationService } from './reconciliation/reconciliation.service.js';
import { ReconciliationWorker } from './reconciliation/reconciliation.worker.js';
import type { RefundLegs } from './refund/refund.repository.js';
import { RefundSaga } from './refund/refund-saga.service.js';
import { PaymentSaga } from './saga/saga.service.js';
import { SagaWorker } from './saga/saga.worker.js';

/** What drives payments and refunds. */
export interface Sagas {
  readonly payments: SagaWorker<Legs>;
  readonly refunds: SagaWorker<RefundLegs>;
}

/** Whoever works for payments without being asked. */
export interface Workers {
  readonly sagas: Sagas;
  /** Makes the connections and starts the queue: once, whoever asks first. */
  connect(): Promise<void>;
  /** Needs the tables, and the other subgraphs. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @param orm of connections for workers alone */
export function createWorkers(options: PaymentsOptions, orm: MikroORM, now: Clock): Workers {
  const { databaseUrl, logger, outside } = options;
  const { em } = orm;
  const boss = options.jobs ?? createJobs(databaseUrl, logger);
  const sagas = createSagas(options, em, boss, now);
  const reconciliation = new ReconciliationService(databaseUrl, logger, now);
  const all = [
    sagas.payments,
    sagas.refunds,
    new CheckoutWorker(em, boss, now),
    new NotificationWorker(em, boss, now),
    new SealWorker(em, boss, logger, now),
    new ReconciliationWorker(reconciliation, outside.statements, boss, now),
  ];
  // The connections of those who work for the queue are made while it looks after its tables.
  const connectAll = async (): Promise<void> => {
    const queues = boss.start().then(() => lookAtQueues(boss));
    await Promise.all([queues, sagas.payments.arrive(), sagas.refunds.arrive(), ping(orm)]);
  };
  let connecting: Promise<void> | null = null;
  const connect = (): Promise<void> => {
    connecting ??= connectAll().catch((thrown: unknown) => {
      // Whoever comes next tries again.
      connecting = null;
      throw thrown;
    });
    return connecting;
  };
  return {
    sagas,
    connect,
    start: async () => {
      await connect();
      await Promise.all(all.map((worker) => worker.start()));
    },
    stop: async () => {
      await Promise.all([sagas.payments.stop(), sagas.refunds.stop()]);
      await boss.stop({ graceful: true, timeout: 5_000 });
    },
  };
}

function createSagas(options: PaymentsOptions, em: EntityManager, boss: PgBoss, now: Clock): Sagas {
  const { outside, logger } = options;
  const { wallets, networks } = outside;
  const vaults = new VaultClient(new SubgraphClient('users', options.others.users, options.signer));
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
