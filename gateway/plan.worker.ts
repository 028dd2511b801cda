import { constants, getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { QueryPlan, QueryPlannerConfig } from '@apollo/query-planner';

// The thread of its own in which operations are planned. It imports packages only: Node.js runs this very file also as
// TypeScript, where our own imports, which name the compiled files, would lead nowhere.

/** What the thread is told once. */
export interface PlanningOrder {
  readonly sdl: string;
  /** That the supergraph may need: who reads it first refuses others. */
  readonly features: readonly string[];
  readonly config: QueryPlannerConfig;
  /** The URLs of those that it imports. */
  readonly packages: { readonly internals: string; readonly planner: string; readonly graphql: string };
}

/** What the thread is asked: an operation, and the labels of `@override` that hold for it. */
export interface PlanningQuestion {
  readonly text: string;
  readonly labels: readonly string[];
}

/** What the thread says: once that it is ready, then one answer to each text. */
export type PlanningReply =
  | { readonly ready: true }
  | { readonly plan: QueryPlan }
  | { readonly problem: { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> } };

const LOWER = 5;

const { sdl, features, config, packages } = workerData as PlanningOrder;
// Before the packages are loaded: at a start the process has much else to do.
giveWay();
const { operationFromDocument, Supergraph }: typeof import('@apollo/federation-internals') = await import(
  packages.internals
);
const { QueryPlanner }: typeof import('@apollo/query-planner') = await import(packages.planner);
const { GraphQLError, parse }: typeof import('graphql') = await import(packages.graphql);
// It was validated by whoever gave it.
const supergraph = Supergraph.build(sdl, { supportedFeatures: new Set(features), validateSupergraph: false });
const api = supergraph.apiSchema();
const planner = new QueryPlanner(supergraph, config);

function answerTo({ text, labels }: PlanningQuestion): PlanningReply {
  try {
    const document = parse(text, { noLocation: true });
    const overrideConditions = new Map(labels.map((label) => [label, true]));
    return { plan: planner.buildQueryPlan(operationFromDocument(api, document), { overrideConditions }) };
  } catch (thrown) {
    if (thrown instanceof GraphQLError)
      return { problem: { message: thrown.message, extensions: { ...thrown.extensions } } };
    return { problem: { message: String(thrown) } };
  }
}

/** Requests go before plans. Only Linux gives each thread a priority; elsewhere it would be the whole process's. */
function giveWay(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Math.min(getPriority() + LOWER, constants.priority.PRIORITY_LOW));
  } catch {
    // A sandbox may forbid it: then plans are made beside requests.
  }
}

const say = (reply: PlanningReply) => parentPort?.postMessage(reply);
parentPort?.on('message', (question: PlanningQuestion) => say(answerTo(question)));
say({ ready: true });
