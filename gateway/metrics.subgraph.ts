import type { Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { type Count, Counts, readGauge, type Spread, Spreads } from './metrics.figures.js';

export type FetchOutcome = 'ok' | 'failed' | 'abandoned';

/** What is under way to a subgraph now. */
export interface SubgraphReading {
  readonly name: string;
  readonly inFlight: number;
  readonly circuit: 'closed' | 'open';
}

/** What is counted of one subgraph. */
export class SubgraphFigures {
  constructor(
    private readonly attempts: Readonly<Record<FetchOutcome, Spread>>,
    private readonly joins: Count,
    private readonly merges: Spread,
  ) {}

  /** One attempt to ask it. */
  fetched(outcome: FetchOutcome, ms: number): void {
    this.attempts[outcome].observe(ms / SECOND);
  }

  /** A fetch joined an equal one under way instead of being sent. */
  coalesced(): void {
    this.joins.add();
  }

  /** One fetch of entities, for so many requests. */
  merged(requests: number): void {
    this.merges.observe(requests);
  }
}

/** The figures of all subgraphs. */
export class SubgraphMetrics {
  private readonly attempts: Spreads<'subgraph' | 'outcome'>;
  private readonly joins: Counts<'subgraph'>;
  private readonly merges: Spreads<'subgraph'>;

  constructor(
    private readonly registry: Registry,
    seconds: readonly number[],
  ) {
    this.attempts = new Spreads(registry, {
      name: 'gateway_subgraph_fetch_seconds',
      help: 'One attempt to ask a subgraph.',
      labelNames: ['subgraph', 'outcome'],
      buckets: seconds,
    });
    this.joins = new Counts(registry, {
      name: 'gateway_coalesced_fetches_total',
      help: 'Fetches that joined an equal one under way instead of being sent.',
      labelNames: ['subgraph'],
    });
    this.merges = new Spreads(registry, {
      name: 'gateway_entity_fetch_requests',
      help: 'How many requests one fetch of entities served.',
      labelNames: ['subgraph'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    });
  }

  of(subgraph: string): SubgraphFigures {
    const attempts = (outcome: FetchOutcome) => this.attempts.at({ subgraph, outcome });
    return new SubgraphFigures(
      { ok: attempts('ok'), failed: attempts('failed'), abandoned: attempts('abandoned') },
      this.joins.at({ subgraph }),
      this.merges.at({ subgraph }),
    );
  }

  /** @param read of two generations, the same name may stand for two places */
  read(read: () => readonly SubgraphReading[]): void {
    readGauge(
      this.registry,
      {
        name: 'gateway_subgraph_in_flight',
        help: 'Attempts to ask a subgraph that are under way now.',
        labelNames: ['subgraph'],
      },
      () => summed(read(), ({ inFlight }) => inFlight),
    );
    readGauge(
      this.registry,
      {
        name: 'gateway_subgraph_circuit_open',
        help: '1 while a subgraph that only failed is left in peace.',
        labelNames: ['subgraph'],
      },
      () => summed(read(), ({ circuit }) => (circuit === 'open' ? 1 : 0)),
    );
  }
}

function summed(readings: readonly SubgraphReading[], value: (reading: SubgraphReading) => number) {
  const sums = new Map<string, number>();
  for (const reading of readings) sums.set(reading.name, (sums.get(reading.name) ?? 0) + value(reading));
  return [...sums].map(([subgraph, sum]) => [{ subgraph }, sum] as const);
}
