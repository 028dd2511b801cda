import { randomUUID } from 'node:crypto';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { openDatabase } from '../kernel/database.js';
import { Acceptance } from './acceptance/acceptance.entity.js';
import { Authorization } from './authorization/authorization.entity.js';
import { Checkout } from './checkout/checkout.entity.js';
import { migrations } from './migrations/migrations.js';
import { Payment } from './payment/payment.entity.js';
import { PaymentEvent } from './payment/payment-event.entity.js';
import { Refund } from './refund/refund.entity.js';

// Ten million postings are proved in about a minute and a half.
const PROOF_WITHIN_MS = 900_000;

export interface DatabasesOptions {
  readonly databaseUrl: string;
  /** Most connections at once for requests, and as many for workers. */
  readonly poolSize?: number;
  readonly onStatement?: (sql: string) => void;
}

/** The connections of payments to its one database. */
export interface Databases {
  readonly orm: MikroORM;
  readonly workersOrm: MikroORM;
  readonly proofs: {
    readonly orm: MikroORM;
    /** Ends those that are under way: nobody waits minutes for a service to stop. */
    cancel(em: EntityManager): Promise<void>;
  };
}

/**
 * Requests, workers and proofs have connections of their own: however many payments are taken up after an outage, or
 * however long the books are read, who asks for a payment is not kept waiting by it.
 */
export async function openDatabases(options: DatabasesOptions): Promise<Databases> {
  const common = {
    url: options.databaseUrl,
    entities: [Checkout, Payment, PaymentEvent, Authorization, Acceptance, Refund],
    migrations,
    poolSize: options.poolSize ?? 20,
    onStatement: options.onStatement,
  };
  // Of this process alone: nobody else's are cancelled.
  const name = `payments-proofs-${randomUUID().slice(0, 8)}`;
  const patience = { poolSize: 4, statementWithinMs: PROOF_WITHIN_MS, answerWithinMs: PROOF_WITHIN_MS + 5_000 };
  // One after the other, each in its own turn.
  const orm = await openDatabase({ ...common, name: 'payments' });
  const workersOrm = await openDatabase({ ...common, name: 'payments-workers' });
  const proofsOrm = await openDatabase({
    url: options.databaseUrl,
    entities: [Payment],
    migrations,
    name,
    readsWhole: true,
    ...patience,
  });
  const cancel = async (em: EntityManager): Promise<void> => {
    const sql = "select pg_cancel_backend(pid) from pg_stat_activity where application_name = ? and state = 'active'";
    // A database that does not answer has cancelled them already.
    await em
      .fork()
      .execute(sql, [name])
      .catch(() => undefined);
  };
  return { orm, workersOrm, proofs: { orm: proofsOrm, cancel } };
}
