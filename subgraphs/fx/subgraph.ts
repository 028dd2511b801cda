import { type Clock, DAY, MINUTE, SECOND, systemClock } from '../kernel/clock.js';
import { migrate, openDatabase, ping } from '../kernel/database.js';
import type { EventBus } from '../kernel/event/event-bus.js';
import type { Headers, Subgraph } from '../kernel/graphql/subgraph.js';
import { PRINCIPAL_HEADER, type PrincipalVerifier } from '../kernel/principal.token.js';
import type { Logger } from '../kernel/telemetry.js';
import type { FxContext, FxServices } from './context.js';
import { createLoaders } from './loaders.js';
import { Migration20261122000000 } from './migrations/Migration20261122000000.js';
import { PricingRule } from './quote/pricing-rule.entity.js';
import { Quote } from './quote/quote.entity.js';
import { QuoteService } from './quote/quote.service.js';
import { RateService } from './rate/rate.service.js';
import { RateFeed } from './rate/rate-feed.worker.js';
import { ReferenceRateService } from './rate/reference-rate.service.js';
import { readShippedRates } from './rate/shipped-rates.js';
import { SimulatedRates } from './rate/simulated-rate.client.js';
import { buildFxSchema } from './schema.js';

export type RateSourceName = 'reference' | 'simulated';

export interface FxOptions {
  readonly databaseUrl: string;
  readonly verifier: PrincipalVerifier;
  readonly logger: Logger;
  readonly bus: EventBus;
  /** Whose rates are sold: the ECB's, as old as they are, or those of the development feed. */
  readonly source: RateSourceName;
  /** How often the development feed moves, and how often changes are looked for: 5 seconds, or a minute for the ECB's. */
  readonly tickMs?: number;
  /** From which age on a rate is no price any more: a minute for a live source, 4 days for the ECB's. */
  readonly staleAfterMs?: number;
  readonly now?: Clock;
  readonly onStatement?: (sql: string) => void;
  readonly poolSize?: number;
}

export interface FxSubgraph extends Subgraph {
  /** The use cases, for what seeds and operates without HTTP. */
  readonly services: FxServices & { readonly referenceRates: ReferenceRateService };
}

// Over a weekend and a Monday without rates; over Easter it is too short, and must be.
const STALE_AFTER_MS = { reference: 4 * DAY, simulated: MINUTE };
const TICK_MS = { reference: MINUTE, simulated: 5 * SECOND };

/** Wires the subgraph; nothing listens or connects yet. `start` lets the feed publish to the bus. */
export async function createFx(options: FxOptions): Promise<FxSubgraph> {
  const { databaseUrl, verifier, logger, bus, source, onStatement, poolSize, now = systemClock } = options;
  const { staleAfterMs = STALE_AFTER_MS[source], tickMs = TICK_MS[source] } = options;
  const orm = await openDatabase({
    name: 'fx',
    url: databaseUrl,
    entities: [PricingRule, Quote],
    migrations: [Migration20261122000000],
    onStatement,
    poolSize,
  });
  const referenceRates = new ReferenceRateService(orm.em);
  const live =
    source === 'simulated' ? new SimulatedRates(() => referenceRates.perEuro(), tickMs, now) : referenceRates;
  const rates = new RateService(orm.em, live, staleAfterMs, now);
  const quotes = new QuoteService(orm.em, rates, now);
  const feed = new RateFeed(rates, bus, tickMs, logger);

  const contextFor = async (headers: Headers): Promise<FxContext> => {
    const principal = await verifier.verify(headers[PRINCIPAL_HEADER]);
    return { principal, loaders: createLoaders(quotes), rates, quotes };
  };

  return {
    ...(await buildFxSchema()),
    name: 'fx',
    logger,
    routes: [],
    services: { rates, quotes, referenceRates },
    contextFor,
    migrate: async () => {
      await migrate(orm, databaseUrl);
      const shipped = await readShippedRates();
      if (!(await referenceRates.knows(shipped))) await referenceRates.import([shipped]);
    },
    start: async () => feed.start(),
    ready: () => ping(orm),
    close: async () => {
      await feed.stop();
      await orm.close();
    },
  };
}
