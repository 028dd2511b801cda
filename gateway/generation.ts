import { createHash } from 'node:crypto';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import { Authorizer } from './admission.authorization.js';
import { Execution } from './execute.js';
import { TypeConditions } from './execute.types.js';
import type { EntityCacheLimits } from './fetch.cache.js';
import { CachedEntities } from './fetch.cached.js';
import type { SubgraphDirectory, SubgraphLease } from './fetch.directory.js';
import { FetchOperations } from './fetch.operation.js';
import type { MutationCount } from './fetch.queries.js';
import { Subgraphs } from './fetch.subgraphs.js';
import { Host } from './host.js';
import type { GatewayMetrics } from './metrics.js';
import { PlanningHere } from './plan.here.js';
import { nextTurn, type Planner, type PlanningPolicy } from './plan.js';
import { PlanningLine } from './plan.line.js';
import { PlanningThread } from './plan.thread.js';
import { Preparation } from './prepare.js';
import type { Turns } from './prepare.turns.js';
import { SubscriptionPlans } from './subscribe.plan.js';
import { readEventSources } from './subscribe.source.js';
import { type LoadedSupergraph, loadSupergraphInTurns } from './supergraph.js';

/** What all generations of one gateway have in common. */
export interface GenerationOptions {
  readonly directory: SubgraphDirectory;
  readonly mutations: MutationCount;
  /** Missing: every entity is asked for, whatever the supergraph says. */
  readonly entityCache?: EntityCacheLimits;
  readonly development: boolean;
  readonly planning: PlanningPolicy;
  readonly turns: Turns;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

interface Parts {
  readonly loaded: LoadedSupergraph;
  readonly authorizer: Authorizer;
  readonly subgraphs: Subgraphs;
  readonly planner: Planner;
  readonly preparation: Preparation;
  readonly execution: Execution;
  /** Answers queries and mutations. */
  readonly host: Host;
  /** Of subscriptions. */
  readonly plans: SubscriptionPlans;
  readonly mutations: MutationCount;
  readonly cached: CachedEntities | null;
  readonly leases: readonly SubgraphLease[];
}

const MOST_FETCH_OPERATIONS = 10_000;

/**
 * All that is made from one supergraph's text. A gateway has one at a time for what comes; those before it stay until
 * the last operation or stream that began there is over.
 */
export class Generation {
  readonly loaded: LoadedSupergraph;
  readonly authorizer: Authorizer;
  readonly subgraphs: Subgraphs;
  readonly preparation: Preparation;
  readonly execution: Execution;
  readonly host: Host;
  readonly plans: SubscriptionPlans;
  readonly mutations: MutationCount;
  /** What is kept of entities; null where nothing is. */
  readonly cached: CachedEntities | null;
  private users = 0;
  private readonly left = Promise.withResolvers<void>();
  private retired = false;
  private closing: Promise<void> | null = null;

  private constructor(
    /** Names the text: equal for equal texts. */
    readonly version: string,
    private readonly parts: Parts,
  ) {
    ({
      loaded: this.loaded,
      authorizer: this.authorizer,
      subgraphs: this.subgraphs,
      preparation: this.preparation,
      execution: this.execution,
      host: this.host,
      plans: this.plans,
      mutations: this.mutations,
      cached: this.cached,
    } = parts);
  }

  /**
   * @throws when the supergraph is not usable: not valid, or with features that nothing here enforces
   */
  static async build(sdl: string, options: GenerationOptions): Promise<Generation> {
    const loaded = await loadSupergraphInTurns(sdl);
    // Each part holds up the operations under way: in between they have their turn.
    await nextTurn();
    const eventSources = readEventSources(loaded.full, loaded.api);
    const virtual = new Set([...eventSources.values()].map((source) => source.subgraph));
    const served = loaded.subgraphs.filter(({ name }) => !virtual.has(name));
    const leases = served.map(({ name, url }) => options.directory.lease(name, url));
    const planner = plannerFor(loaded, options);
    try {
      const subgraphs = new Subgraphs(new Map(leases.map(({ subgraph }) => [subgraph.source.name, subgraph])));
      const steps = {
        types: new TypeConditions(loaded.full),
        operations: new FetchOperations(MOST_FETCH_OPERATIONS),
        subgraphs,
      };
      const { development, mutations, metrics, turns, entityCache: limits } = options;
      const authorizer = new Authorizer(loaded.supergraph, loaded.full);
      const caching = limits && { limits, mutations, metrics: metrics.entityCache };
      const cached = caching ? CachedEntities.of(loaded, authorizer.requirements, caching) : null;
      const preparing = { api: loaded.api, planner, steps, cached, development, turns, metrics: metrics.preparation };
      const preparation = new Preparation(preparing);
      const execution = new Execution(loaded, mutations);
      const plans = new SubscriptionPlans(loaded, planner, steps, eventSources, development, turns);
      await nextTurn();
      const host = await Host.start({ ...options, loaded, authorizer, preparation, execution });
      const engine = { planner, preparation, execution, host, plans, cached };
      const parts = { loaded, authorizer, subgraphs, mutations, leases, ...engine };
      return new Generation(versionOf(sdl), parts);
    } catch (thrown) {
      await Promise.all([planner.close(), ...leases.map((lease) => lease.end())]);
      throw thrown;
    }
  }

  /** Resolves when it can plan. @throws Error when it never will */
  ready(): Promise<void> {
    return this.parts.planner.ready();
  }

  /** Keeps it from closing when it is retired. Whoever enters leaves once. */
  enter(): this {
    this.users += 1;
    return this;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0 && this.retired) this.left.resolve();
  }

  /** Closes when all who entered have left. */
  async retire(): Promise<void> {
    this.retired = true;
    // The next one has begun to keep its own: two would take twice the room.
    this.cached?.close();
    if (this.users > 0) await this.left.promise;
    await this.close();
  }

  /** Lets go of everything, also under those who have not left: nobody waits for their answers any more. */
  close(): Promise<void> {
    this.closing ??= this.letGo();
    return this.closing;
  }

  private async letGo(): Promise<void> {
    await this.host.stop();
    await Promise.all([this.parts.planner.close(), ...this.parts.leases.map((lease) => lease.end())]);
  }
}

function plannerFor(loaded: LoadedSupergraph, { planning, metrics, logger }: GenerationOptions): Planner {
  const thread = planning.ownThread ? new PlanningThread(loaded.sdl, planning, logger) : new PlanningHere(loaded);
  return new PlanningLine(thread, planning.mostWaiting, metrics.preparation);
}

function versionOf(sdl: string): string {
  return createHash('sha256').update(sdl).digest('hex').slice(0, 12);
}
