import type { PgBoss } from 'pg-boss';
import { databaseUrl, type Environment } from '../subgraphs/kernel/configuration.js';
import { createLogger } from '../subgraphs/kernel/telemetry.js';
import { createJobs } from '../subgraphs/payments/jobs.js';

/** The queue of payments, starting: it takes many answers of the database, which come while the graph is wired. */
export function startingQueue(environment: Environment): PgBoss {
  const jobs = createJobs(databaseUrl('payments', environment), createLogger('payments'));
  // Payments starts it again, and is told why it does not start.
  jobs.start().catch(() => undefined);
  return jobs;
}
