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
  /** As JSON, each a different one. */
  readonly representations: readonly string[];
  /** The client's variables that the fetch uses beside them. */
  readonly variables: Values;
}

export interface EntityAnswer {
  /** In the order of the question; null where there is none. */
  readonly entities: readonly (Row | null)[];
  /** Their paths begin with the index of an entity; without a path they are about all of them. */
  readonly errors: readonly GraphQLFormattedError[];
}

/** Who answers a step of a plan that asks about entities. */
export interface EntitySource {
  /** @throws what went wrong on the way: `refusal` says it in the client's words */
  askEntities(question: EntityQuestion, asking: Asking): Promise<EntityAnswer>;
  refusal(thrown: unknown, question: Pick<EntityQuestion, 'operation'>): GraphQLFormattedError;
}

interface Waiting {
  readonly question: EntityQuestion;
  readonly asking: Asking;
  readonly answer: PromiseWithResolvers<EntityAnswer>;
}

/** A `_entities` call in the making: the questions of several requests with equal selection and rights. */
export class Batch {
  readonly waiting: Waiting[] = [];
  /** Of all questions together, some perhaps twice. */
  size = 0;

  constructor(
    readonly operation: FetchOperation,
    readonly variables: Values,
  ) {}

  add(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    const answer = Promise.withResolvers<EntityAnswer>();
    this.waiting.push({ question, asking, answer });
    this.size += question.representations.length;
    return answer.promise;
  }

  /** Each entity once, with its place in the call. */
  positions(): ReadonlyMap<string, number> {
    const positions = new Map<string, number>();
    for (const { question } of this.waiting)
      for (const representation of question.representations)
        if (!positions.has(representation)) positions.set(representation, positions.size);
    return positions;
  }
}

// More would be no faster: answers so large cost the memory anew each time, and one slow entity would hold up too many.
export const MOST_REPRESENTATIONS = 250;

/**
 * Asks one subgraph about entities. What several requests ask within one turn of the event loop, with the same
 * selection, variables and rights, becomes one call, and each entity is asked for once.
 */
export class EntityFetches {
  /** A new one for each departure: a Map that is cleared keeps what was in it until a major garbage collection. */
  private batches = new Map<string, Batch>();
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
    if (!batch || batch.size + question.representations.length > MOST_REPRESENTATIONS) {
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
    this.batches = new Map();
    for (const batch of queue) void this.send(batch);
  }

  private async send(batch: Batch): Promise<void> {
    const [first, ...others] = batch.waiting;
    if (!first) return;
    this.onMerged(batch.waiting.length);
    try {
      if (others.length === 0) first.answer.resolve(answerTo(await this.launch(batch, first.question.representations)));
      else {
        const positions = batch.positions();
        const answer = await this.launch(batch, [...positions.keys()]);
        if (Array.isArray(answer.data?.['_entities'])) deliver(batch.waiting, positions, answer);
        else throw new Error('no entities at all');
      }
    } catch (thrown) {
      this.failed(batch, thrown);
    }
  }

  private async launch({ operation, variables, waiting }: Batch, representations: readonly string[]) {
    const [{ asking } = {}, ...others] = waiting;
    if (!asking) throw new Error('nobody asks');
    const token = await this.source.token(asking.identity.principal);
    // One of several: none of their request ids would be right for the others.
    const requestId = others.length === 0 ? asking.requestId : undefined;
    const { span } = asking;
    const sender = { requestId, token, span, others: span && others.map((other) => other.asking.span) };
    const flight = this.source.launch({ operation, variables, representations }, sender);
    for (const each of waiting) flight.joinedBy(each.asking.signal);
    return flight.outcome;
  }

  /** One representation that a subgraph cannot stand must not fail requests that have nothing to do with it. */
  private failed({ waiting, operation }: Batch, thrown: unknown): void {
    const isOfAll = waiting.length === 1 || thrown instanceof FlightStopped || thrown instanceof UnavailableError;
    for (const { question, asking, answer } of waiting) {
      if (isOfAll) answer.reject(thrown);
      else {
        const alone = new Batch(operation, question.variables);
        alone.add(question, asking).then(answer.resolve, answer.reject);
        void this.send(alone);
      }
    }
  }
}

type Entities = readonly (Row | null)[];

function answerTo({ data, errors }: SubgraphAnswer): EntityAnswer {
  return {
    entities: (data?.['_entities'] ?? []) as Entities,
    errors: errors ? errors.map((error) => placed(error, (index) => index)).filter((error) => error !== null) : [],
  };
}

/** To each of those who wait what they asked for, of what was asked for all of them. */
export function deliver(
  waiting: readonly Waiting[],
  positions: ReadonlyMap<string, number>,
  { data, errors = [] }: SubgraphAnswer,
): void {
  const found = (data?.['_entities'] ?? []) as Entities;
  const given = new Uint8Array(found.length);
  for (const { question, answer } of waiting) {
    const indexes = question.representations.map((representation) => positions.get(representation) ?? -1);
    // One that no question asked for is about all of them.
    const own = errors.map((error) =>
      placed(error, (index) => (index < positions.size ? indexes.indexOf(index) : index)),
    );
    answer.resolve({
      // What one request adds to its own must not show in another's. Nobody has begun yet: the first one needs no copy.
      entities: indexes.map((index) => {
        const entity = found[index];
        if (!entity) return null;
        if (given[index]) return isolated(entity);
        given[index] = 1;
        return entity;
      }),
      errors: own.filter((error) => error !== null),
    });
  }
}

/** Null for an error about somebody else's entity. */
function placed(
  { path, ...error }: GraphQLFormattedError,
  positionOf: (index: number) => number,
): GraphQLFormattedError | null {
  if (path?.[0] !== '_entities' || typeof path[1] !== 'number') return error;
  const position = positionOf(path[1]);
  return position < 0 ? null : { ...error, path: [position, ...path.slice(2)] };
}
