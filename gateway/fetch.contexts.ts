import { type FieldNode, Kind, type OperationDefinitionNode, print, type VariableDefinitionNode, visit } from 'graphql';
import { UnavailableError } from '../subgraphs/kernel/error.js';
import { fingerprintOf } from './context.js';
import {
  Batch,
  deliver,
  type EntityAnswer,
  type EntityFetches,
  type EntityQuestion,
  MOST_REPRESENTATIONS,
} from './fetch.entities.js';
import type { Asking, SubgraphSource } from './fetch.js';
import { FetchOperation } from './fetch.operation.js';
import type { SubgraphAnswer } from './fetch.transport.js';
import { FlightStopped } from './fetch.watch.js';

// A text of its own for each number of them, which the subgraph reads anew.
const MOST_CONTEXTS = 20;

/** Questions with equal selection and rights, by the values of their contexts. */
interface Gathering {
  readonly operation: FetchOperation;
  readonly byContext: Map<string, Batch>;
  size: number;
}

/**
 * Asks one subgraph about entities by what stands above them (`@fromContext`). What is asked within one turn of the event
 * loop in different contexts is one call, which selects the entities once for each context under a name of its own.
 */
export class ContextFetches {
  private gatherings = new Map<string, Gathering>();
  private queue: Gathering[] = [];
  private departing: NodeJS.Immediate | null = null;

  constructor(
    private readonly source: SubgraphSource,
    /** For a context alone. */
    private readonly entities: EntityFetches,
    private readonly onMerged: (requests: number) => void,
  ) {}

  /** @throws CallerGone, or what went wrong on the way after all attempts */
  ask(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    const { operation, variables, representations } = question;
    const common = Object.entries(variables).filter(([name]) => !operation.contexts.includes(name));
    const key = `${fingerprintOf(asking.identity.principal)}\n${JSON.stringify(common)}\n${operation.text}`;
    const context = JSON.stringify(variables);
    let gathering = this.gatherings.get(key);
    const isFull =
      gathering &&
      (gathering.size + representations.length > MOST_REPRESENTATIONS ||
        (gathering.byContext.size >= MOST_CONTEXTS && !gathering.byContext.has(context)));
    if (!gathering || isFull) {
      gathering = { operation, byContext: new Map(), size: 0 };
      this.gatherings.set(key, gathering);
      this.queue.push(gathering);
    }
    const batch = gathering.byContext.get(context) ?? new Batch(operation, variables);
    gathering.byContext.set(context, batch);
    gathering.size += representations.length;
    this.departing ??= setImmediate(() => this.depart());
    return batch.add(question, asking);
  }

  private depart(): void {
    const { queue } = this;
    this.queue = [];
    this.departing = null;
    this.gatherings = new Map();
    for (const { operation, byContext } of queue) {
      const batches = [...byContext.values()];
      if (batches.length > 1) void this.send(operation, batches);
      else this.sendAlone(batches);
    }
  }

  private async send(operation: FetchOperation, batches: readonly Batch[]): Promise<void> {
    const positions = batches.map((batch) => batch.positions());
    try {
      this.onMerged(new Set(batches.flatMap(({ waiting }) => waiting.map(({ asking }) => asking))).size);
      const answer = await this.launch(operation, batches, positions);
      const parts = positions.map(({ size }, index) => partOf(answer, index, size));
      for (const [index, { waiting }] of batches.entries())
        deliver(waiting, positions[index] ?? new Map(), parts[index] ?? {});
    } catch (thrown) {
      const isOfAll = thrown instanceof FlightStopped || thrown instanceof UnavailableError;
      if (!isOfAll) return this.sendAlone(batches);
      for (const { answer } of batches.flatMap(({ waiting }) => waiting)) answer.reject(thrown);
    }
  }

  /** One context that a subgraph cannot stand must not fail the others. */
  private sendAlone(batches: readonly Batch[]): void {
    for (const { question, asking, answer } of batches.flatMap(({ waiting }) => waiting))
      this.entities.ask(question, asking).then(answer.resolve, answer.reject);
  }

  private async launch(
    operation: FetchOperation,
    batches: readonly Batch[],
    positions: readonly ReadonlyMap<string, number>[],
  ): Promise<SubgraphAnswer> {
    const [first, ...others] = batches.flatMap(({ waiting }) => waiting);
    if (!first) throw new Error('nobody asks');
    const variables: Record<string, unknown> = {};
    for (const [index, batch] of batches.entries()) {
      for (const [name, value] of Object.entries(batch.variables))
        variables[operation.contexts.includes(name) ? `${name}_${index}` : name] = value;
      variables[`representations_${index}`] = JSON.parse(`[${[...(positions[index]?.keys() ?? [])].join(',')}]`);
    }
    const { requestId, span, identity } = first.asking;
    const isOne = others.every(({ asking }) => asking.requestId === requestId);
    const flight = this.source.launch(
      { operation: inContexts(operation, batches.length), variables },
      {
        requestId: isOne ? requestId : undefined,
        token: await this.source.token(identity.principal),
        span,
        others: span && others.map(({ asking }) => asking.span).filter((other) => other !== span),
      },
    );
    for (const { asking } of [first, ...others]) flight.joinedBy(asking.signal);
    return flight.outcome;
  }
}

const known = new WeakMap<FetchOperation, Map<number, FetchOperation>>();

/** The operation for so many contexts at once: `_0: _entities(representations: $representations_0) { … }`, and so on. */
function inContexts(operation: FetchOperation, count: number): FetchOperation {
  const made = known.get(operation) ?? new Map<number, FetchOperation>();
  known.set(operation, made);
  const found = made.get(count);
  if (found) return found;
  const own = new Set(['representations', ...operation.contexts]);
  const renamed = <Node extends FieldNode | VariableDefinitionNode>(node: Node, index: number): Node =>
    visit(node, {
      Variable: ({ name }) =>
        own.has(name.value) ? { kind: Kind.VARIABLE, name: { ...name, value: `${name.value}_${index}` } } : undefined,
    });
  const indexes = Array.from({ length: count }, (_context, index) => index);
  const OperationDefinition = ({ variableDefinitions = [], selectionSet, ...rest }: OperationDefinitionNode) => ({
    ...rest,
    variableDefinitions: variableDefinitions.flatMap((definition) =>
      own.has(definition.variable.name.value) ? indexes.map((index) => renamed(definition, index)) : [definition],
    ),
    selectionSet: {
      ...selectionSet,
      selections: selectionSet.selections.flatMap((selection) =>
        selection.kind === Kind.FIELD
          ? indexes.map((index) => ({
              ...renamed(selection, index),
              alias: { kind: Kind.NAME, value: nameOf(index) } as const,
            }))
          : [],
      ),
    },
  });
  const text = print(visit(operation.document, { OperationDefinition }));
  const several = new FetchOperation(operation.kind, text, operation.name, []);
  made.set(count, several);
  return several;
}

function nameOf(index: number): string {
  return `_${index}`;
}

/** What is answered in one context. @throws Error where it is not what was asked for */
function partOf({ data, errors = [] }: SubgraphAnswer, index: number, size: number): SubgraphAnswer {
  const name = nameOf(index);
  const entities = data?.[name];
  const own = errors.flatMap((error) => {
    const { path } = error;
    if (path?.[0] === name) return [{ ...error, path: ['_entities', ...path.slice(1)] }];
    return path && /^_\d+$/.test(String(path[0])) ? [] : [error];
  });
  if (!Array.isArray(entities) || entities.length !== size) throw new Error('not the entities that were asked for');
  return { data: { _entities: entities }, errors: own };
}
