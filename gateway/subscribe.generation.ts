import type { Authorizer } from './admission.authorization.js';
import type { Execution } from './execute.js';
import type { MutationCount } from './fetch.queries.js';
import type { Host } from './host.js';
import type { SubscriptionPlans } from './subscribe.plan.js';
import type { LoadedSupergraph } from './supergraph.js';

/** A loaded supergraph, and all that serves subscriptions by it. */
export interface SubscriptionEngine {
  readonly loaded: LoadedSupergraph;
  readonly authorizer: Authorizer;
  readonly plans: SubscriptionPlans;
  readonly execution: Execution;
  /** Runs the guards. */
  readonly host: Host;
  readonly mutations: MutationCount;
}

/** One engine in use: knows when nothing is under way with it any more. */
export class Generation {
  private underWay = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(readonly engine: SubscriptionEngine) {}

  get mutationsEnded(): number {
    return this.engine.mutations.ended;
  }

  async use<T>(work: (engine: SubscriptionEngine) => Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await work(this.engine);
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) for (const done of this.waiting.splice(0)) done();
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    if (this.underWay > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
