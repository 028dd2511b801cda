import type { Registry } from 'prom-client';
import { type Count, Counts, readGauge } from './metrics.figures.js';
import type { CacheFigures } from './metrics.preparation.js';

/** What is kept of entities now. */
export interface EntityCacheReading {
  /** As estimated. */
  readonly bytes: number;
  readonly entries: number;
}

/** How much need not be asked of subgraphs, because it is known. Goes on across reloads. */
export class EntityCacheMetrics {
  private readonly looks: Counts<'subgraph' | 'outcome'>;
  private readonly evictions: Count;

  constructor(private readonly registry: Registry) {
    this.looks = new Counts(registry, {
      name: 'gateway_entity_cache_looks_total',
      help: 'Looks for an entity that may be kept.',
      labelNames: ['subgraph', 'outcome'],
    });
    this.evictions = new Counts(registry, {
      name: 'gateway_entity_cache_evictions_total',
      help: 'Entities that were let go for want of room.',
      labelNames: [],
    }).at({});
  }

  of(subgraph: string): CacheFigures {
    return {
      hits: this.looks.at({ subgraph, outcome: 'hit' }),
      misses: this.looks.at({ subgraph, outcome: 'miss' }),
    };
  }

  evicted(): void {
    this.evictions.add();
  }

  /** @param read null where nothing is kept */
  read(read: () => EntityCacheReading | null): void {
    readGauge(
      this.registry,
      { name: 'gateway_entity_cache_bytes', help: 'What is kept of entities takes about this much.', labelNames: [] },
      () => [[{}, read()?.bytes ?? 0]],
    );
    readGauge(
      this.registry,
      { name: 'gateway_entity_cache_entries', help: 'Entities that are kept, expired ones too.', labelNames: [] },
      () => [[{}, read()?.entries ?? 0]],
    );
  }
}
