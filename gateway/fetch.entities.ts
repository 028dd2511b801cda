import type { GraphQLFormattedError } from 'graphql';
import { UnavailableError } from '../subgraphs/kernel/error.js';
import { fingerprintOf } from './context.js';
import { isolated, type Row } from './execute.row.js';
import type { Asking, SubgraphSource } from './fetch.js';
import type { FetchOperation } from './fetch.operation.js';
import type { SubgraphAnswer, Values } from './fetch.transport.js';
import { FlightStopped } from './fetch.watch.js';

/** What one request asks of a subgraph about entities. */
export interface EntityQuestion {
  readonly operation: FetchOperation;
  /** Each a different one. */
  readonly representations: readonly Row[];
  /** The same as JSON. */
  readonly keys: readonly string[];
  /** The client's variables that the fetch uses beside them. */
  readonly variables: Values;
}

export interface EntityAnswer {
  /** In the order of the question; null where there is none. */
  readonly entities: readonly (Row | null)[];
  /** Their paths begin with the index of an entity; without a path they are about all of them. */
  readonly errors: readonly GraphQLFormattedError[];
}

/** A `_entities` call in the making: the questions of several requests with equal selection and rights. */
class Batch {
  readonly positions = new Map<string, number>();
  readonly representations: Row[] = [];
  readonly waiting: { readonly question: EntityQuestion; readonly asking: Asking; readonly flight: Departure }[] = [];

  constructor(
    readonly operation: FetchOperation,
    readonly variables: Values,
  ) {}

  add(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    question.keys.forEach((key, index) => {
      if (this.positions.has(key)) return;
      this.positions.set(key, this.representations.length);
      this.representations.push(question.representations[index] ?? {});
    });
    const flight: Departure = Promise.withResolvers();
    this.waiting.push({ question, asking, flight });
    return flight.promise;
  }
}

type Departure = PromiseWithResolvers<EntityAnswer>;

// A subgraph's own limit on one body would refuse more; and one slow entity would hold up too many.
const MOST_REPRESENTATIONS = 1_000;

/**
 * Asks one subgraph about entities. What several requests ask within one turn of the event loop, with the same
 * selection, variables and rights, becomes one call, and each entity is asked for once.
 */
export class EntityFetches {
  private readonly batches = new Map<string, Batch>();
  private queue: Batch[] = [];
  private departing: NodeJS.Immediate | null = null;

  constructor(
    private readonly source: SubgraphSource,
    private readonly onMerged: (requests: number) => void = () => undefined,
  ) {}

  /** @throws CallerGone, or what went wrong on the way after all attempts */
  ask(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    const { operation, variables } = question;
    const shared = operation.variables.length === 0 ? '' : JSON.stringify(variables);
    const key = `${fingerprintOf(asking.identity.principal)}\n${shared}\n${operation.text}`;
    let batch = this.batches.get(key);
    if (!batch || batch.representations.length + question.keys.length > MOST_REPRESENTATIONS) {
      batch = new Batch(operation, variables);
      this.batches.set(key, batch);
      this.queue.push(batch);
    }
    this.departing ??= setImmediate(() => this.depart());
    return batch.add(question, asking);
  }

  private depart(): void {
    const { queue } = this;
    this.queue = [];
    this.departing = null;
    this.batches.clear();
    for (const batch of queue) void this.send(batch);
  }

  private async send(batch: Batch): Promise<void> {
    const { operation, waiting } = batch;
    const [first] = waiting;
    if (!first) return;
    this.onMerged(waiting.length);
    try {
      const variables = { ...batch.variables, representations: batch.representations };
      const question = { operation, variables, representations: [...batch.positions.keys()] };
      const token = await this.source.token(first.asking.identity.principal);
      // One of several: none of their request ids would be right for the others.
      const flight = this.source.launch(question, waiting.length === 1 ? first.asking.requestId : undefined, token);
      for (const { asking } of waiting) flight.joinedBy(asking.signal);
      deliver(batch, await flight.outcome);
    } catch (thrown) {
      this.failed(batch, thrown);
    }
  }

  /** One representation that a subgraph cannot stand must not fail requests that have nothing to do with it. */
  private failed({ waiting, operation }: Batch, thrown: unknown): void {
    const isOfAll = waiting.length === 1 || thrown instanceof FlightStopped || thrown instanceof UnavailableError;
    for (const { question, asking, flight } of waiting) {
      if (isOfAll) flight.reject(thrown);
      else {
        const alone = new Batch(operation, question.variables);
        alone.add(question, asking).then(flight.resolve, flight.reject);
        void this.send(alone);
      }
    }
  }
}

function deliver({ waiting, positions }: Batch, { data, errors = [] }: SubgraphAnswer): void {
  const found = (data?.['_entities'] ?? []) as readonly (Row | null)[];
  const only = waiting.length === 1;
  for (const { question, flight } of waiting) {
    const indexes = question.keys.map((key) => positions.get(key) ?? 0);
    const entities = indexes.map((index) => {
      const entity = found[index] ?? null;
      // What one request adds to its copy must not show in another's.
      return entity && !only ? isolated(entity) : entity;
    });
    flight.resolve({ entities, errors: errors.length === 0 ? [] : errorsFor(indexes, errors) });
  }
}

function errorsFor(indexes: readonly number[], errors: readonly GraphQLFormattedError[]): GraphQLFormattedError[] {
  return errors.flatMap((error) => {
    const { path, ...others } = error;
    if (path?.[0] !== '_entities' || typeof path[1] !== 'number') return [others];
    const position = indexes.indexOf(path[1]);
    return position < 0 ? [] : [{ ...others, path: [position, ...path.slice(2)] }];
  });
}
