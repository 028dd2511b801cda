import { operationFromDocument } from '@apollo/federation-internals';
import type { QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { nextTurn, type Planning, plannerConfig } from './plan.js';
import { labelsIn } from './plan.override.js';
import type { LoadedSupergraph } from './supergraph.js';

/** Plans in this thread, and lets others have their turn in between. */
export class PlanningHere implements Planning {
  private planner: Promise<QueryPlanner> | null = null;

  constructor(private readonly loaded: LoadedSupergraph) {}

  async plan(text: string): Promise<QueryPlan> {
    await nextTurn();
    // Made when the first operation comes: it takes longer than everything else at start.
    this.planner ??= this.newPlanner();
    const planner = await this.planner;
    const document = parse(text, { noLocation: true });
    const overrideConditions = new Map(labelsIn(text).map((label) => [label, true]));
    return planner.buildQueryPlan(operationFromDocument(this.loaded.apiSchema, document), { overrideConditions });
  }

  /** A process whose planner has a thread of its own never loads one here. */
  private async newPlanner(): Promise<QueryPlanner> {
    const { QueryPlanner } = await import('@apollo/query-planner');
    return new QueryPlanner(this.loaded.supergraph, plannerConfig);
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {}
}
