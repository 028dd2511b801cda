import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import type { PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { TrustedDocuments } from './admission.documents.js';
import { Admission, type AdmissionOptions, defaultAdmission } from './admission.js';
import type { TrustMode } from './admission.persisted.js';
import type { Authenticator } from './authentication.js';
import { ENTITY_CACHE_BYTES, MOST_BODY_BYTES } from './configuration.js';
import type { Ticks } from './fetch.cache.js';
import { SubgraphDirectory } from './fetch.directory.js';
import { defaultFetchPolicy, type FetchPolicy } from './fetch.js';
import { MutationCount } from './fetch.queries.js';
import type { SubgraphTransport } from './fetch.transport.js';
import type { Generation } from './generation.js';
import { Generations, type ReloadOutcome } from './generation.switch.js';
import { Health, type Readiness } from './health.js';
import { GraphqlEndpoint } from './http.graphql.js';
import { addressReader, GRAPHQL_PATH, HttpSurface, type Scrape } from './http.js';
import { GatewayMetrics } from './metrics.js';
import { Operations } from './operation.js';
import { defaultPlanning, type PlanningPolicy } from './plan.js';
import { Turns } from './prepare.turns.js';
import { overWebSocket } from './subscribe.graphql-ws.js';
import { Heartbeats } from './subscribe.heartbeat.js';
import { Subscriptions } from './subscribe.js';
import type { SubscriptionPlans } from './subscribe.plan.js';
import type { SupergraphSource } from './supergraph.source.js';
import type { Tracer } from './trace.js';

export interface GatewayOptions {
  /** The text of a supergraph, or where it comes from: then every new one is taken over as it comes. */
  readonly supergraph: string | SupergraphSource;
  /** Subgraphs in this process, by name. */
  readonly subgraphs?: Readonly<Record<string, SubgraphTransport>>;
  /** Where the others are, instead of where the supergraph says, by name. */
  readonly urls?: Readonly<Record<string, string | undefined>>;
  /** Where events come from; null where none do: subscriptions are refused then. */
  readonly bus: EventBus | null;
  /** Vouches to the subgraphs for who asks; null where they do not ask. */
  readonly signer: PrincipalSigner | null;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Where traces are made; its owner closes it. */
  readonly tracer?: Tracer;
  /** What `/metrics` tells, where it is more than `metrics`. */
  readonly scrape?: Scrape;
  /** Introspection, query plans on demand, Sandbox and CORS for it. Never in production. */
  readonly development: boolean;
  /** Origins of web pages that may ask, beside Sandbox's in development. */
  readonly corsOrigins?: readonly string[];
  readonly admission?: Partial<Omit<AdmissionOptions, 'persisted'>>;
  /** A persisted query manifest, read again when the file changes. */
  readonly trustedDocuments?: { readonly path: string; readonly mode: TrustMode };
  /** Whether clients may register texts by their hash; not where only trusted documents are run. */
  readonly automaticPersistedQueries?: boolean;
  /** Where operations are planned, how many wait, and how long one may take. */
  readonly planning?: Partial<PlanningPolicy>;
  readonly fetch?: Partial<FetchPolicy>;
  /** Connections to each subgraph over HTTP. */
  readonly connections?: number;
  /** What may be kept of entities that the supergraph calls public, about; 0: nothing. */
  readonly entityCacheBytes?: number;
  readonly mostBodyBytes?: number;
  /** Open subscriptions of one asker. */
  readonly mostStreams?: number;
  /** How many proxies of ours stand in front: so far `X-Forwarded-For` is believed. */
  readonly trustedProxies?: number;
  readonly now?: () => number;
  /** Milliseconds of a clock that is never set back: by it what is kept grows old. */
  readonly ticks?: Ticks;
}

/** The gateway, wired but not listening: whoever has an HTTP server hands it requests. */
export interface Gateway {
  /** Answers `/`, `/graphql`, `/health/live`, `/health/ready` and `/metrics`; anything else with 404. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** For the server's `upgrade` event: graphql-ws on `/graphql`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  ready(): Promise<Readiness>;
  /** Those that are asked now, by name. */
  readonly subgraphs: readonly string[];
  /**
   * Answers by another supergraph from now on, without a pause: what is under way ends as it began. One that is not
   * usable is refused, with a word in the log, and the present one stays.
   */
  reload(supergraph: string): Promise<ReloadOutcome>;
  /**
   * Says that it is not ready any more and ends all streams, some at a time, so that their clients resume elsewhere. Takes
   * up to five seconds where there are many.
   */
  drain(): Promise<void>;
  /** Drains and lets go of everything that it opened itself; the bus is its owner's. */
  close(): Promise<void>;
}

const SANDBOX = 'https://studio.apollographql.com';
const CONNECTIONS = 64;
const MOST_STREAMS = 1_000;

/** @throws when the supergraph is not usable: not valid, or with features that nothing here enforces */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { supergraph, development, logger, bus, registry, now, tracer } = {
    ...options,
    registry: options.metrics,
    now: options.now ?? Date.now,
  };
  const metrics = new GatewayMetrics(registry);
  const mutations = new MutationCount();
  const directory = new SubgraphDirectory({
    inProcess: options.subgraphs ?? {},
    urls: options.urls ?? {},
    connections: options.connections ?? CONNECTIONS,
    policy: { ...defaultFetchPolicy, ...options.fetch },
    signer: options.signer,
    mutations,
    metrics,
    logger,
  });
  const source = typeof supergraph === 'string' ? null : supergraph;
  const text = typeof supergraph === 'string' ? supergraph : await supergraph.read();
  const turns = new Turns();
  const planning = { ...defaultPlanning, ...options.planning };
  const entityCache = {
    mostBytes: options.entityCacheBytes ?? ENTITY_CACHE_BYTES,
    ticks: options.ticks ?? (() => performance.now()),
  };
  const shared = { directory, mutations, entityCache, development, planning, turns, metrics, logger };
  const generations = await Generations.start(text, shared);
  const mostPerAsker = options.mostStreams ?? MOST_STREAMS;
  const engine = generations.current;
  const subscriptions = new Subscriptions({ engine, bus, mostPerAsker, metrics, logger, tracer, now });
  generations.beforeSwitch((next) => subscriptions.adopt(next));
  const warn = ({ plans }: Generation) => warnOfSubscriptions(plans, bus, logger);
  warn(engine);
  generations.beforeSwitch(warn);

  const { mode = 'off', path } = options.trustedDocuments ?? {};
  const trusted = path === undefined || mode === 'off' ? null : new TrustedDocuments({ path, logger });
  const persisted = { trusted, mode, automatic: options.automaticPersistedQueries ?? true };
  const admission = new Admission({ ...defaultAdmission, ...options.admission, persisted }, engine.loaded);
  generations.beforeSwitch((next) => admission.adopt(next.loaded));
  const { authenticator } = options;
  const operations = new Operations(authenticator, admission, generations, subscriptions, turns, metrics, logger);
  const mostBytes = options.mostBodyBytes ?? MOST_BODY_BYTES;
  const addressOf = addressReader(options.trustedProxies ?? 0);
  const heartbeats = new Heartbeats();
  const health = new Health(() => generations.current.subgraphs.sources, bus, logger);
  const endpoint = new GraphqlEndpoint({ operations, generations, mostBytes, heartbeats, logger, tracer });
  const cors = { origins: [...(options.corsOrigins ?? []), ...(development ? [SANDBOX] : [])], loopback: development };
  const scrape =
    options.scrape ?? (async () => ({ contentType: registry.contentType, text: await registry.metrics() }));
  const surface = new HttpSurface({ endpoint, health, scrape, cors, development, addressOf, logger });
  const webSockets = overWebSocket(operations, { mostBytes, addressOf, heartbeats, logger, tracer });

  const unwatch = source?.watch({
    changed: (changed) => void generations.reload(changed),
    failed: (thrown) => generations.unreachable(thrown),
  });

  let drained: Promise<void> | null = null;
  const drainOnce = async (): Promise<void> => {
    health.drain();
    await Promise.all([webSockets.close(), subscriptions.drain()]);
  };
  const drain = (): Promise<void> => {
    drained ??= drainOnce();
    return drained;
  };
  return {
    answer: (request, response) => surface.answer(request, response),
    upgrade: (request, socket, head) => {
      const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname;
      if (path === GRAPHQL_PATH && !drained) webSockets.upgrade(request, socket, head);
      else socket.end(`HTTP/1.1 ${drained ? '503 Service Unavailable' : '404 Not Found'}\r\nconnection: close\r\n\r\n`);
    },
    ready: () => health.readiness(),
    get subgraphs() {
      return generations.current.subgraphs.sources.map(({ name }) => name);
    },
    reload: (changed) => generations.reload(changed),
    drain,
    close: async () => {
      unwatch?.();
      await drain();
      trusted?.close();
      subscriptions.close();
      heartbeats.close();
      await generations.close();
    },
  };
}

/** Whoever runs the gateway learns at once what clients would find out one by one. */
function warnOfSubscriptions({ fields }: SubscriptionPlans, bus: EventBus | null, logger: Logger): void {
  const served = bus ? fields.filter(({ hasEvents }) => hasEvents) : [];
  const refused = fields.filter((field) => !served.includes(field)).map(({ name }) => name);
  if (refused.length === 0) return;
  const why = bus ? 'the supergraph says of no events for them (@eventSource)' : 'there is no event bus';
  logger.warn({ subscriptions: refused }, `these subscriptions are refused: ${why}`);
}
