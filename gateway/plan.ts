import { operationFromDocument } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode } from 'graphql';
import type { LoadedSupergraph } from './supergraph.js';

/** All that the gateway asks of a query planner: another planner fits behind it. */
export interface Planner {
  /** @throws an error that says why this operation cannot be planned */
  plan(document: DocumentNode, operationName?: string): Promise<QueryPlan>;
}

/** Plans in this thread, one operation at a time, and lets others have their turn in between. */
export function createPlanner(loaded: LoadedSupergraph): Planner {
  let planner: QueryPlanner | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const plan = (document: DocumentNode, operationName?: string): QueryPlan => {
    // Made when the first operation comes: it takes longer than everything else at start.
    planner ??= new QueryPlanner(loaded.supergraph, {
      // Sent in another order than it was written, a fragment of a mutation would be run in that order.
      reuseQueryFragments: false,
    });
    return planner.buildQueryPlan(operationFromDocument(loaded.apiSchema, document, { operationName }));
  };
  return {
    plan: (document, operationName) => {
      const planned = last.then(nextTurn).then(() => plan(document, operationName));
      last = planned.catch(() => undefined);
      return planned;
    },
  };
}

/** Lets whatever waits have its turn first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
