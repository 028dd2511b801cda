import type { Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { type Count, Counts, readGauge, type Spread, Spreads } from './metrics.figures.js';

/** What is kept of operations: by their text, without its literals, and as plans. */
export type CacheName = 'texts' | 'operations' | 'plans';

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
  private readonly planning: Spread;
  private readonly compiling: Spread;

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
      help: 'To make an operation ready that was not: validate its text, plan it (in line with others), compile it.',
      labelNames: ['step'],
      buckets: seconds,
    });
    this.validating = steps.at({ step: 'validate' });
    this.planning = steps.at({ step: 'plan' });
    this.compiling = steps.at({ step: 'compile' });
  }

  validated(ms: number): void {
    this.validating.observe(ms / SECOND);
  }

  planned(ms: number): void {
    this.planning.observe(ms / SECOND);
  }

  compiled(ms: number): void {
    this.compiling.observe(ms / SECOND);
  }

  /** @param read how many entries each cache has now */
  read(read: () => Readonly<Record<CacheName, number>>): void {
    readGauge(
      this.registry,
      {
        name: 'gateway_operation_cache_entries',
        help: 'What is kept of operations for the supergraph that answers.',
        labelNames: ['cache'],
      },
      () => Object.entries(read()).map(([cache, entries]) => [{ cache }, entries] as const),
    );
  }
}
