import type { FetchNode, FlattenNode, PlanNode } from '@apollo/query-planner';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { GatewayContext } from './context.js';
import { hasContexts, inContexts } from './execute.context.js';
import { contextsInOrder } from './execute.context.order.js';
import { type Cursor, certainPart, collector, type Place, type PlanPath, placesAt } from './execute.place.js';
import { compileRepresentation, type Representing } from './execute.representation.js';
import { compileRewrites, type Rewrite, renamedKeys } from './execute.rewrite.js';
import { copyOf, isRow, mergeInto, type Row } from './execute.row.js';
import type { TypeConditions } from './execute.types.js';
import type { CachedEntities } from './fetch.cached.js';
import type { EntitySource } from './fetch.entities.js';
import type { FetchOperation, FetchOperations } from './fetch.operation.js';
import type { Subgraphs } from './fetch.subgraphs.js';
import type { Values } from './fetch.transport.js';

/** One execution of a plan. */
export interface Run {
  /** All that the fetches brought, from the root of the operation. */
  readonly root: Row;
  readonly errors: GraphQLError[];
  /** Where an entity is null because of one of the errors, so that all its other fields are missing too. */
  readonly lost: Place[];
  /** What the client gave, and the literals of its text. */
  readonly variables: Values;
  /** The same with defaults: what conditions look at. */
  readonly conditions: Values;
  readonly context: GatewayContext;
}

/** A compiled plan, or a part of it: done when it resolves. Never throws for what a subgraph did. */
export type Step = (run: Run, cursor: Cursor) => Promise<void>;

export interface StepCompilation {
  readonly types: TypeConditions;
  readonly operations: FetchOperations;
  readonly subgraphs: Subgraphs;
  /** Missing where every entity is asked for: after a mutation, and for an event. */
  readonly cached?: CachedEntities | null;
}

/** @throws Error for a plan with nodes that nothing here executes */
export function compileStep(node: PlanNode, compilation: StepCompilation): Step {
  if (!hasContexts(node)) return compileNode(node, compilation);
  return compileNode(contextsInOrder(node), { ...compilation, merge: mergeCopy });
}

interface NodeCompilation extends StepCompilation {
  /** Where a field depends on what stands above it, no object may stand in two places: each has fields of its own. */
  readonly merge?: typeof mergeEntity;
}

function compileNode(node: PlanNode, compilation: NodeCompilation): Step {
  switch (node.kind) {
    case 'Sequence':
      return sequence(node.nodes.map((each) => compileNode(each, compilation)));
    case 'Parallel':
      return parallel(node.nodes.map((each) => compileNode(each, compilation)));
    case 'Flatten':
      return compileFlatten(node, compilation);
    case 'Condition':
      return conditional(
        node.condition,
        node.ifClause ? compileNode(node.ifClause, compilation) : nothing,
        node.elseClause ? compileNode(node.elseClause, compilation) : nothing,
      );
    case 'Fetch':
      if (node.contextRewrites?.length) throw new Error('nothing stands above the rows of a fetch that has none');
      return compileFetch(node, compilation);
    case 'Defer':
      throw new Error('@defer is not executed here');
  }
}

const nothing: Step = async () => undefined;

function sequence(steps: readonly Step[]): Step {
  return async (run, cursor) => {
    for (const step of steps) await step(run, cursor);
  };
}

function parallel(steps: readonly Step[]): Step {
  return async (run, cursor) => {
    await Promise.all(steps.map((step) => step(run, cursor)));
  };
}

function compileFlatten({ path, node }: FlattenNode, compilation: NodeCompilation): Step {
  const names = path.map(String);
  if (node.kind !== 'Fetch' || !node.contextRewrites?.length) return flatten(names, compileNode(node, compilation));
  return inContexts(names, node.contextRewrites, compilation.types, compileFetch(node, compilation));
}

function flatten(path: PlanPath, step: Step): Step {
  const collect = collector(path);
  return async (run, cursor) => {
    const rows = collect(cursor.rows);
    if (rows.length > 0) await step(run, { path: [...cursor.path, ...path], rows });
  };
}

function conditional(variable: string, met: Step, unmet: Step): Step {
  return (run, cursor) => (run.conditions[variable] === true ? met : unmet)(run, cursor);
}

function compileFetch(node: FetchNode, compilation: NodeCompilation): Step {
  const { types, operations, subgraphs, cached, merge = mergeEntity } = compilation;
  const subgraph = subgraphs.get(node.serviceName);
  const operation = operations.get(
    node.serviceName,
    node.operationKind,
    node.operation,
    node.operationName,
    node.variableUsages ?? [],
  );
  const output = compileRewrites(node.outputRewrites, types);
  const renamed = renamedKeys(node.outputRewrites);
  if (!node.requires) return fetchRoot({ operation, output, renamed }, subgraph, merge !== mergeEntity);
  const represent = compileRepresentation(node.requires, types, compileRewrites(node.inputRewrites, types));
  // Decided here, so that a step of which nothing may be kept is run as if there were no cache.
  const source = cached?.before(subgraph, operation) ?? subgraph;
  return fetchEntities({ operation, output, renamed }, represent, source, types, merge);
}

interface CompiledFetch {
  readonly operation: FetchOperation;
  readonly output: Rewrite | null;
  readonly renamed: ReadonlyMap<string, string>;
}

type Subgraph = ReturnType<Subgraphs['get']>;

function fetchRoot({ operation, output, renamed }: CompiledFetch, subgraph: Subgraph, isApart: boolean): Step {
  return async (run, cursor) => {
    const question = { operation, variables: operation.variablesIn(run.variables) };
    try {
      const { data, errors } = await subgraph.ask(question, run.context);
      if (data) {
        output?.(data);
        for (const row of cursor.rows) mergeInto(row, isApart ? copyOf(data) : data);
      }
      for (const error of errors ?? [])
        run.errors.push(located(error, error.path && [...certainPart(cursor.path), ...named(error.path, renamed)]));
    } catch (thrown) {
      run.errors.push(located(subgraph.refusal(thrown, question), commonPlace(cursor)));
    }
  };
}

function fetchEntities(
  { operation, output, renamed }: CompiledFetch,
  represent: Representing,
  source: EntitySource,
  types: TypeConditions,
  merge: typeof mergeEntity,
): Step {
  return async (run, cursor) => {
    // What is missing without an error was skipped.
    const { representations, positions } = representationsOf(cursor.rows, represent, run.errors.length === 0);
    if (representations.length === 0) return;
    const question = { operation, representations, variables: operation.variablesIn(run.variables) };
    try {
      const { entities, errors } = await source.askEntities(question, run.context);
      if (output) for (const entity of entities) output(entity);
      cursor.rows.forEach((row, index) => {
        const entity = entities[positions[index] ?? -1];
        if (isRow(entity)) merge(row, entity, types);
      });
      if (errors.length > 0) placeErrors(run, cursor, { positions, entities }, renamed, errors);
    } catch (thrown) {
      run.errors.push(located(source.refusal(thrown, question), commonPlace(cursor)));
    }
  };
}

interface Represented {
  /** Each a different one. */
  readonly representations: readonly string[];
  /** For each row, which representation is its own; -1 for a row that has none. */
  readonly positions: readonly number[];
}

/** Rows with equal representations share one. */
function representationsOf(rows: readonly Row[], represent: Representing, skipped: boolean): Represented {
  const known = new Map<string, number>();
  const representations: string[] = [];
  const positions = rows.map((row) => {
    const representation = represent(row, skipped);
    if (representation === null) return -1;
    const position = known.get(representation);
    if (position !== undefined) return position;
    known.set(representation, representations.length);
    return representations.push(representation) - 1;
  });
  return { representations, positions };
}

/** A subgraph that knows a type as an interface object says the interface's name: the row's own says more. */
function mergeEntity(row: Row, entity: Row, types: TypeConditions): void {
  const { __typename: known } = row;
  mergeInto(row, entity);
  const { __typename: said } = row;
  if (typeof known === 'string' && said !== known && typeof said === 'string' && !types.isObject(said))
    row['__typename'] = known;
}

/** The same for a row that shares nothing with those that have the same entity. */
function mergeCopy(row: Row, entity: Row, types: TypeConditions): void {
  mergeEntity(row, copyOf(entity), types);
}

interface Answered {
  /** For each row, which entity is its own. */
  readonly positions: readonly number[];
  readonly entities: readonly (Row | null)[];
}

/** An error of one entity is an error at each place where that entity stands. */
function placeErrors(
  run: Run,
  cursor: Cursor,
  { positions, entities }: Answered,
  renamed: ReadonlyMap<string, string>,
  errors: readonly GraphQLFormattedError[],
): void {
  const places = placesAt(run.root, cursor);
  for (const error of errors) {
    const [position, ...inner] = error.path ?? [];
    const own = places.filter((_place, index) => positions[index] === position);
    // It is about all of them, or about none that was asked for.
    if (own.length === 0) run.errors.push(located(error, commonPlace(cursor)));
    for (const place of own) run.errors.push(located(error, [...place, ...named(inner, renamed)]));
    if (typeof position === 'number' && !entities[position]) run.lost.push(...own);
  }
}

/** Where all rows of a cursor lie; undefined for all of the answer. */
function commonPlace({ path }: Cursor): Place | undefined {
  const common = certainPart(path);
  return common.length > 0 ? common : undefined;
}

function named(path: Place, renamed: ReadonlyMap<string, string>): Place {
  if (renamed.size === 0) return path;
  return path.map((name) => (typeof name === 'string' ? (renamed.get(name) ?? name) : name));
}

function located({ message, extensions }: GraphQLFormattedError, path: Place | undefined): GraphQLError {
  return new GraphQLError(message, { ...(path && { path }), extensions });
}
