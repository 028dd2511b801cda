import type { QueryPlan, QueryPlannerConfig } from '@apollo/query-planner';

/** All that the gateway asks of a query planner: another planner fits behind it. */
export interface Planner {
  /** How many operations wait to be planned. */
  readonly waiting: number;
  /**
   * Plans one operation, or waits with others for the same one.
   * @param text as `print` writes it, after what `Overrides` drew for it
   * @param asker whose turn it takes
   * @throws UnavailableError RATE_LIMITED when too many wait, InvalidError OPERATION_TOO_COMPLEX for what takes too long,
   * Error that says why it cannot be planned
   */
  plan(text: string, asker: string): Promise<QueryPlan>;
  /** Resolves when it can plan. @throws Error when it never will */
  ready(): Promise<void>;
  /** Ends it, also under those who wait: they are told to ask again. */
  close(): Promise<void>;
}

/** Who plans: one operation at a time, each a text, as `print` writes it. */
export interface Planning {
  /** @throws InvalidError OPERATION_TOO_COMPLEX, Error that says why it cannot be planned */
  plan(text: string): Promise<QueryPlan>;
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface PlanningPolicy {
  /** Whether planning has a thread of its own. Without one it can neither be ended nor go on beside requests. */
  readonly ownThread: boolean;
  /** How many operations may wait. */
  readonly mostWaiting: number;
  /** How long one may take, in milliseconds, and how much memory its thread may have, in MiB. */
  readonly mostMs: number;
  readonly mostMebibytes: number;
}

export const defaultPlanning: PlanningPolicy = {
  ownThread: false,
  mostWaiting: 500,
  mostMs: 5_000,
  mostMebibytes: 512,
};

/** What the gateway asks for itself is in nobody's way and nobody in its. No asker has this name. */
export const OURSELVES = 'ourselves';

/** For whoever plans, in whatever thread. */
export const plannerConfig: QueryPlannerConfig = {
  // Sent in another order than it was written, a fragment of a mutation would be run in that order.
  reuseQueryFragments: false,
};

/** Lets whatever waits have its turn first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
