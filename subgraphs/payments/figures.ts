import type { EntityManager } from '@mikro-orm/postgresql';
import { Gauge, type Registry } from 'prom-client';
import { type Clock, SECOND } from '../kernel/clock.js';
import type { Logger } from '../kernel/telemetry.js';
import { readSealFigures } from './ledger/seal.repository.js';
import { countOpenBreaks } from './reconciliation/findings.repository.js';
import { countUndecided, type Undecided } from './saga/undecided.repository.js';

/** What payments tells Prometheus of its rows: read when somebody asks, by indexes that hold little more than the answer. */
export function registerFigures(registry: Registry, em: EntityManager, logger: Logger, now: Clock): void {
  const seals = together(() => readSealFigures(em.fork()));
  const seconds = (since: Date | null) => (since ? Math.max(0, now().getTime() - since.getTime()) / SECOND : 0);
  const gauge = (name: string, help: string, read: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await orUnknown(read, logger));
      },
    });
  gauge('payments_seal_age_seconds', 'How old the last seal over the postings is; 0 before the first.', async () =>
    seconds((await seals()).lastSealedAt),
  );
  gauge(
    'payments_unsealed_postings',
    'Postings that no seal covers yet.',
    async () => (await seals()).unsealedPostings,
  );
  gauge(
    'payments_unsealed_seconds',
    'How long the oldest posting has waited for a seal; 0 where none waits.',
    async () => seconds((await seals()).unsealedSince),
  );
  registerBreaks(registry, () => countOpenBreaks(em.fork()), logger);
  registerUndecided(
    registry,
    together(() => countUndecided(em.fork(), now())),
    logger,
  );
}

/** Every type has its line: an alarm on what was never found must not take no line for no break. */
function registerBreaks(registry: Registry, read: () => Promise<ReadonlyMap<string, number>>, logger: Logger): void {
  new Gauge({
    name: 'payments_reconciliation_open_breaks',
    help: 'Where our records and the statements of both sides disagree, by the type of the break.',
    labelNames: ['type'],
    registers: [registry],
    async collect() {
      this.reset();
      try {
        for (const [type, count] of await read()) this.set({ type }, count);
      } catch (thrown) {
        logger.warn({ err: thrown }, 'could not count open breaks');
      }
    },
  });
}

/** Nothing stays undecided unseen: see the README for what to be woken by. */
function registerUndecided(registry: Registry, read: () => Promise<Undecided[]>, logger: Logger): void {
  const gauge = (name: string, help: string, figureOf: (undecided: Undecided) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['subject', 'step'],
      registers: [registry],
      async collect() {
        this.reset();
        try {
          for (const each of await read()) this.set({ subject: each.subject, step: each.step }, figureOf(each));
        } catch (thrown) {
          logger.warn({ err: thrown }, 'could not count what is undecided');
        }
      },
    });
  gauge(
    'payments_undecided',
    'Payments and refunds at work, by the step before which they stand.',
    (each) => each.count,
  );
  gauge('payments_overdue', 'Those of them that stand there longer than the step should take.', (each) => each.overdue);
  gauge('payments_undecided_oldest_seconds', 'How long the oldest of them stands there.', (each) => each.oldestSeconds);
}

/** A database that does not answer must not take the other figures with it: NaN is what Prometheus calls unknown. */
async function orUnknown(read: () => Promise<number>, logger: Logger): Promise<number> {
  try {
    return await read();
  } catch (thrown) {
    logger.warn({ err: thrown }, 'could not read a figure');
    return Number.NaN;
  }
}

/** Gauges that are read in one scrape share one look. */
function together<Found>(look: () => Promise<Found>): () => Promise<Found> {
  let looking: Promise<Found> | null = null;
  return () => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };
}
