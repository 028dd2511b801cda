import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { SECOND } from '../subgraphs/kernel/clock.js';

// Names come from clients: past this many, the rest share one label.
const MOST_OPERATION_NAMES = 200;

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type StreamTransport = 'graphql-ws' | 'sse' | 'multipart';

/** Why a stream ended: its client left, it was too slow, its token ended, the bus gave up, we stop, or the schema changed. */
export type StreamEnding = 'left' | 'slow' | 'expired' | 'interrupted' | 'drained' | 'replaced';

/** What the gateway counts, for Prometheus. */
export class GatewayMetrics {
  private readonly names = new Set<string>();
  private readonly requests: Counter;
  private readonly latency: Histogram;
  private readonly refusals: Counter;
  private readonly fetches: Histogram;
  private readonly joins: Counter;
  private readonly merges: Histogram;
  private readonly streams: Gauge;
  private readonly endings: Counter;
  private readonly feeds: Gauge;
  private readonly events: Counter;
  private readonly resolutions: Counter;
  private readonly lag: Histogram;
  private readonly supergraph: Gauge;
  private readonly reloads: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'gateway_requests_total',
      help: 'Operations answered, subscriptions when they begin.',
      labelNames: ['operation', 'type', 'outcome'],
      registers,
    });
    this.latency = new Histogram({
      name: 'gateway_request_seconds',
      help: 'From an admitted operation to its whole answer.',
      labelNames: ['operation'],
      buckets: SECONDS,
      registers,
    });
    this.refusals = new Counter({
      name: 'gateway_refusals_total',
      help: 'Operations refused before they were looked at, by error code.',
      labelNames: ['code'],
      registers,
    });
    this.fetches = new Histogram({
      name: 'gateway_subgraph_fetch_seconds',
      help: 'One attempt to ask a subgraph.',
      labelNames: ['subgraph', 'outcome'],
      buckets: SECONDS,
      registers,
    });
    this.joins = new Counter({
      name: 'gateway_coalesced_fetches_total',
      help: 'Fetches that joined an equal one under way instead of being sent.',
      labelNames: ['subgraph'],
      registers,
    });
    this.merges = new Histogram({
      name: 'gateway_entity_fetch_requests',
      help: 'How many requests one fetch of entities served.',
      labelNames: ['subgraph'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers,
    });
    this.streams = new Gauge({
      name: 'gateway_open_streams',
      help: 'Subscriptions that are open now.',
      labelNames: ['transport'],
      registers,
    });
    this.endings = new Counter({
      name: 'gateway_stream_endings_total',
      help: 'Subscriptions that ended, by why; slow: too much waited for a client that did not keep up.',
      labelNames: ['transport', 'reason'],
      registers,
    });
    this.feeds = new Gauge({
      name: 'gateway_open_feeds',
      help: 'Subjects of the event bus that subscriptions listen to now: each once, however many listen.',
      registers,
    });
    this.events = new Counter({
      name: 'gateway_events_total',
      help: 'Events given to subscribers, each counted for each of them.',
      labelNames: ['operation', 'outcome'],
      registers,
    });
    this.resolutions = new Counter({
      name: 'gateway_event_resolutions_total',
      help: 'Events resolved, each once for all who asked the same with the same rights.',
      labelNames: ['operation', 'outcome'],
      registers,
    });
    this.lag = new Histogram({
      name: 'gateway_event_lag_seconds',
      help: 'From the bus taking a live event to its being written to the last of those who share its resolution.',
      buckets: SECONDS,
      registers,
    });
    this.supergraph = new Gauge({
      name: 'gateway_supergraph',
      help: 'The supergraph that answers: 1, under the beginning of its SHA-256.',
      labelNames: ['version'],
      registers,
    });
    this.reloads = new Counter({
      name: 'gateway_supergraph_reloads_total',
      help: 'New supergraphs: taken over, refused because they are not usable, or not to be had.',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of ['ok', 'refused', 'unreachable']) this.reloads.inc({ outcome }, 0);
  }

  supergraphLoaded(version: string): void {
    this.supergraph.reset();
    this.supergraph.set({ version }, 1);
  }

  reloaded(outcome: 'ok' | 'refused' | 'unreachable'): void {
    this.reloads.inc({ outcome });
  }

  answered(name: string | null | undefined, type: string, failed: boolean, ms: number): void {
    const operation = this.label(name);
    this.requests.inc({ operation, type, outcome: failed ? 'error' : 'ok' });
    this.latency.observe({ operation }, ms / SECOND);
  }

  subscribed(name: string | null | undefined, failed: boolean): void {
    this.requests.inc({ operation: this.label(name), type: 'subscription', outcome: failed ? 'error' : 'ok' });
  }

  refused(code: string): void {
    this.refusals.inc({ code });
  }

  fetched(subgraph: string, outcome: string, ms: number): void {
    this.fetches.observe({ subgraph, outcome }, ms / SECOND);
  }

  coalesced(subgraph: string): void {
    this.joins.inc({ subgraph });
  }

  merged(subgraph: string, requests: number): void {
    this.merges.observe({ subgraph }, requests);
  }

  streamOpened(transport: StreamTransport): void {
    this.streams.inc({ transport });
  }

  streamClosed(transport: StreamTransport, reason: StreamEnding): void {
    this.streams.dec({ transport });
    this.endings.inc({ transport, reason });
  }

  feedOpened(): void {
    this.feeds.inc();
  }

  feedClosed(): void {
    this.feeds.dec();
  }

  resolved(name: string | null | undefined, failed: boolean): void {
    this.resolutions.inc({ operation: this.label(name), outcome: failed ? 'error' : 'ok' });
  }

  delivered(name: string | null | undefined, failed: boolean, subscribers: number): void {
    this.events.inc({ operation: this.label(name), outcome: failed ? 'error' : 'ok' }, subscribers);
  }

  lagged(ms: number): void {
    this.lag.observe(Math.max(0, ms) / SECOND);
  }

  private label(name: string | null | undefined): string {
    if (!name) return 'unnamed';
    if (this.names.has(name)) return name;
    if (this.names.size >= MOST_OPERATION_NAMES) return 'other';
    this.names.add(name);
    return name;
  }
}
