import { PgBoss, type Queue } from 'pg-boss';
import type { Logger } from '../kernel/telemetry.js';

// Maintenance of the queue takes its time; a server that says nothing must not keep us from stopping.
const ANSWER_WITHIN_MS = 30_000;

/** The queue of timers and retries, with tables of its own in the database of payments; not started, nor connected. */
export function createJobs(databaseUrl: string, logger: Logger): PgBoss {
  const boss = new PgBoss({
    connectionString: answeredWithin(databaseUrl, ANSWER_WITHIN_MS),
    application_name: 'payments-jobs',
    // One for a maintenance that takes its time, one for all else: guards are sent by those who write what they guard.
    max: 2,
    monitorIntervalSeconds: 15,
  });
  boss.on('error', (error) => logger.warn({ err: error }, 'the job queue has trouble'));
  return boss;
}

/** pg-boss has no option for it, but hands its connection string to the driver, which reads its own options there. */
function answeredWithin(url: string, ms: number): string {
  const place = new URL(url);
  place.searchParams.set('query_timeout', String(ms));
  return place.href;
}

/** What is there: asked once for all who look. */
interface Known {
  readonly queues: ReadonlySet<string>;
  /** Queue and times of each. */
  readonly schedules: ReadonlySet<string>;
}

const known = new WeakMap<PgBoss, Promise<Known>>();

/** Asks what queues and schedules there are, unless that was done. The queue is to be started before. */
export function lookAtQueues(boss: PgBoss): Promise<Known> {
  const asked = known.get(boss) ?? askFor(boss);
  known.set(boss, asked);
  return asked;
}

async function askFor(boss: PgBoss): Promise<Known> {
  try {
    const [queues, schedules] = await Promise.all([boss.getQueues(), boss.getSchedules()]);
    return {
      queues: new Set(queues.map(({ name }) => name)),
      schedules: new Set(schedules.map(({ name, cron }) => `${name} ${cron}`)),
    };
  } catch (thrown) {
    // Whoever comes next asks again.
    known.delete(boss);
    throw thrown;
  }
}

/** Makes a queue where it is missing. One that is there keeps the options that it was made with. */
export async function ensureQueue(boss: PgBoss, name: string, options: Omit<Queue, 'name'>): Promise<void> {
  const { queues } = await lookAtQueues(boss);
  if (!queues.has(name)) await boss.createQueue(name, options);
}

/** Has a queue get a job at each time of `cron`, in UTC. Most starts find it written down. */
export async function ensureSchedule(boss: PgBoss, name: string, cron: string): Promise<void> {
  const { schedules } = await lookAtQueues(boss);
  if (!schedules.has(`${name} ${cron}`)) await boss.schedule(name, cron);
}
