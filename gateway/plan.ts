import { operationFromDocument } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode } from 'graphql';
import type { LoadedSupergraph } from './supergraph.js';

/** All that the gateway asks of a query planner: another planner fits behind it. */
export interface Planner {
  /** @throws an error that says why this operation cannot be planned */
  plan(document: DocumentNode, operationName?: string): QueryPlan;
}

/** @param withDocuments each fetch also carries its text parsed, for subgraphs in this process */
export function createPlanner(loaded: LoadedSupergraph, withDocuments: boolean): Planner {
  const planner = new QueryPlanner(loaded.supergraph, { exposeDocumentNodeInFetchNode: withDocuments });
  return {
    plan: (document, operationName) =>
      planner.buildQueryPlan(operationFromDocument(loaded.apiSchema, document, { operationName })),
  };
}
