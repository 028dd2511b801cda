import { Gauge, type Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';
import { EntityCacheMetrics } from './metrics.entity-cache.js';
import { type Count, Counts, readGauge, type Spread, Spreads } from './metrics.figures.js';
import { PreparationMetrics } from './metrics.preparation.js';
import { SubgraphMetrics } from './metrics.subgraph.js';

// Names come from clients: past this many, the rest share one label.
const MOST_OPERATION_NAMES = 200;

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type StreamTransport = 'graphql-ws' | 'sse' | 'multipart';

/** Why a stream ended: its client left, it was too slow, its token ended, the bus gave up, we stop, or the schema changed. */
export type StreamEnding = 'left' | 'slow' | 'expired' | 'interrupted' | 'drained' | 'replaced';

/** What became of a new supergraph. */
export type ReloadFate = 'ok' | 'refused' | 'unreachable';

/** What is counted of the operations of one name. */
interface OperationFigures {
  readonly byType: Kept<Kept<Count>>;
  readonly seconds: Spread;
}

/** What is counted of the events for subscriptions of one name. */
interface EventFigures {
  readonly events: Kept<Count>;
  readonly resolutions: Kept<Count>;
}

/** Figures that are found once for each key. */
class Kept<Figures> {
  private readonly known = new Map<string, Figures>();

  constructor(private readonly find: (key: string) => Figures) {}

  at(key: string): Figures {
    const known = this.known.get(key);
    if (known) return known;
    const found = this.find(key);
    this.known.set(key, found);
    return found;
  }
}

/** What the gateway counts, for Prometheus. */
export class GatewayMetrics {
  readonly subgraphs: SubgraphMetrics;
  readonly preparation: PreparationMetrics;
  readonly entityCache: EntityCacheMetrics;
  private readonly names = new Set<string>();
  private readonly operations: Kept<OperationFigures>;
  private readonly deliveries: Kept<EventFigures>;
  private readonly refusals: Counts<'code'>;
  private readonly streams: Gauge;
  private readonly endings: Counts<'transport' | 'reason'>;
  private readonly feeds: Gauge;
  private readonly lag: Spread;
  private readonly reloads: Counts<'outcome'>;
  private version: string | null = null;

  constructor(registry: Registry) {
    const registers = [registry];
    this.subgraphs = new SubgraphMetrics(registry, SECONDS);
    this.preparation = new PreparationMetrics(registry, SECONDS);
    this.entityCache = new EntityCacheMetrics(registry);
    const requests = new Counts(registry, {
      name: 'gateway_requests_total',
      help: 'Operations answered, subscriptions when they begin.',
      labelNames: ['operation', 'type', 'outcome'],
    });
    const latency = new Spreads(registry, {
      name: 'gateway_request_seconds',
      help: 'From an admitted operation to its whole answer.',
      labelNames: ['operation'],
      buckets: SECONDS,
    });
    this.operations = new Kept((operation) => ({
      byType: new Kept((type) => new Kept((outcome) => requests.at({ operation, type, outcome }))),
      seconds: latency.at({ operation }),
    }));
    this.refusals = new Counts(registry, {
      name: 'gateway_refusals_total',
      help: 'Operations refused before they were looked at, by error code.',
      labelNames: ['code'],
    });
    this.streams = new Gauge({
      name: 'gateway_open_streams',
      help: 'Subscriptions that are open now.',
      labelNames: ['transport'],
      registers,
    });
    this.endings = new Counts(registry, {
      name: 'gateway_stream_endings_total',
      help: 'Subscriptions that ended, by why; slow: too much waited for a client that did not keep up.',
      labelNames: ['transport', 'reason'],
    });
    this.feeds = new Gauge({
      name: 'gateway_open_feeds',
      help: 'Subjects of the event bus that subscriptions listen to now: each once, however many listen.',
      registers,
    });
    const events = new Counts(registry, {
      name: 'gateway_events_total',
      help: 'Events given to subscribers, each counted for each of them.',
      labelNames: ['operation', 'outcome'],
    });
    const resolutions = new Counts(registry, {
      name: 'gateway_event_resolutions_total',
      help: 'Events resolved, each once for all who asked the same with the same rights.',
      labelNames: ['operation', 'outcome'],
    });
    this.deliveries = new Kept((operation) => ({
      events: new Kept((outcome) => events.at({ operation, outcome })),
      resolutions: new Kept((outcome) => resolutions.at({ operation, outcome })),
    }));
    this.lag = new Spreads(registry, {
      name: 'gateway_event_lag_seconds',
      help: 'From the bus taking a live event to its being written to the last of those who share its resolution.',
      labelNames: [],
      buckets: SECONDS,
    }).at({});
    this.reloads = new Counts(registry, {
      name: 'gateway_supergraph_reloads_total',
      help: 'New supergraphs: taken over, refused because they are not usable, or not to be had.',
      labelNames: ['outcome'],
    });
    for (const outcome of ['ok', 'refused', 'unreachable']) this.reloads.at({ outcome });
    const supergraph = {
      name: 'gateway_supergraph',
      help: 'The supergraph that answers, by the beginning of its SHA-256: how many workers have it.',
      labelNames: ['version'] as const,
    };
    readGauge(registry, supergraph, () => (this.version === null ? [] : [[{ version: this.version }, 1]]));
  }

  answered(name: string | null | undefined, type: string, failed: boolean, ms: number): void {
    const { byType, seconds } = this.operations.at(this.label(name));
    byType
      .at(type)
      .at(failed ? 'error' : 'ok')
      .add();
    seconds.observe(ms / SECOND);
  }

  subscribed(name: string | null | undefined, failed: boolean): void {
    const { byType } = this.operations.at(this.label(name));
    byType
      .at('subscription')
      .at(failed ? 'error' : 'ok')
      .add();
  }

  refused(code: string): void {
    this.refusals.at({ code }).add();
  }

  streamOpened(transport: StreamTransport): void {
    this.streams.inc({ transport });
  }

  streamClosed(transport: StreamTransport, reason: StreamEnding): void {
    this.streams.dec({ transport });
    this.endings.at({ transport, reason }).add();
  }

  feedOpened(): void {
    this.feeds.inc();
  }

  feedClosed(): void {
    this.feeds.dec();
  }

  resolved(name: string | null | undefined, failed: boolean): void {
    this.deliveries
      .at(this.label(name))
      .resolutions.at(failed ? 'error' : 'ok')
      .add();
  }

  delivered(name: string | null | undefined, failed: boolean, subscribers: number): void {
    this.deliveries
      .at(this.label(name))
      .events.at(failed ? 'error' : 'ok')
      .add(subscribers);
  }

  lagged(ms: number): void {
    this.lag.observe(Math.max(0, ms) / SECOND);
  }

  /** @param version of the supergraph that answers from now on */
  supergraphLoaded(version: string): void {
    this.version = version;
  }

  reloaded(outcome: ReloadFate): void {
    this.reloads.at({ outcome }).add();
  }

  private label(name: string | null | undefined): string {
    if (!name) return 'unnamed';
    if (this.names.has(name)) return name;
    if (this.names.size >= MOST_OPERATION_NAMES) return 'other';
    this.names.add(name);
    return name;
  }
}
