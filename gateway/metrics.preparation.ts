import type { Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { type Count, Counts, readGauge, type Spread, Spreads } from './metrics.figures.js';

/** What is kept of operations: by their text, without its literals, and as plans. */
export type CacheName = 'texts' | 'operations' | 'plans';

/** Why an operation was not planned: too many waited, it broke a limit, or did so of late. */
export type PlanningRefusal = 'full' | 'limit' | 'remembered';

/** What is kept and what waits now, for the supergraph that answers. */
export interface PreparationReading {
  readonly entries: Readonly<Record<CacheName, number>>;
  /** Operations that wait to be planned. */
  readonly waiting: number;
}

export interface CacheFigures {
  readonly hits: Count;
  readonly misses: Count;
}

/** What it takes to make operations ready. Goes on across reloads. */
export class PreparationMetrics {
  readonly texts: CacheFigures;
  readonly operations: CacheFigures;
  readonly plans: CacheFigures;
  private readonly validating: Spread;
  private readonly waiting: Spread;
  private readonly planning: Spread;
  private readonly compiling: Spread;
  private readonly refusals: Counts<'reason'>;

  constructor(
    private readonly registry: Registry,
    seconds: readonly number[],
  ) {
    const looks = new Counts(registry, {
      name: 'gateway_operation_cache_looks_total',
      help: 'Looks for an operation that is ready, by its text, without its literals, and for its plan.',
      labelNames: ['cache', 'outcome'],
    });
    const cache = (name: CacheName): CacheFigures => ({
      hits: looks.at({ cache: name, outcome: 'hit' }),
      misses: looks.at({ cache: name, outcome: 'miss' }),
    });
    this.texts = cache('texts');
    this.operations = cache('operations');
    this.plans = cache('plans');
    const steps = new Spreads(registry, {
      name: 'gateway_prepare_seconds',
      help: 'To make an operation ready that was not: validate its text, wait in line, plan it, compile it.',
      labelNames: ['step'],
      buckets: seconds,
    });
    this.validating = steps.at({ step: 'validate' });
    this.waiting = steps.at({ step: 'wait' });
    this.planning = steps.at({ step: 'plan' });
    this.compiling = steps.at({ step: 'compile' });
    this.refusals = new Counts(registry, {
      name: 'gateway_planning_refusals_total',
      help: 'Operations that were not planned: too many waited, it took too long or too much memory, or did so of late.',
      labelNames: ['reason'],
    });
    for (const reason of ['full', 'limit', 'remembered']) this.refusals.at({ reason });
  }

  validated(ms: number): void {
    this.validating.observe(ms / SECOND);
  }

  waited(ms: number): void {
    this.waiting.observe(ms / SECOND);
  }

  planned(ms: number): void {
    this.planning.observe(ms / SECOND);
  }

  compiled(ms: number): void {
    this.compiling.observe(ms / SECOND);
  }

  refused(reason: PlanningRefusal): void {
    this.refusals.at({ reason }).add();
  }

  /** @param read what there is now */
  read(read: () => PreparationReading): void {
    readGauge(
      this.registry,
      {
        name: 'gateway_operation_cache_entries',
        help: 'What is kept of operations for the supergraph that answers.',
        labelNames: ['cache'],
      },
      () => Object.entries(read().entries).map(([cache, entries]) => [{ cache }, entries] as const),
    );
    const waiting = {
      name: 'gateway_planning_waiting',
      help: 'Operations that wait to be planned for the supergraph that answers.',
      labelNames: [],
    };
    readGauge(this.registry, waiting, () => [[{}, read().waiting]]);
  }
}
