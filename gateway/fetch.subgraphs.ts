import type { GraphQLFormattedError } from 'graphql';
import { ContextFetches } from './fetch.contexts.js';
import { type EntityAnswer, EntityFetches, type EntityQuestion, type EntitySource } from './fetch.entities.js';
import type { Asking, Question, SubgraphSource } from './fetch.js';
import { type MutationCount, QueryFetches } from './fetch.queries.js';
import type { SubgraphAnswer } from './fetch.transport.js';

/** One subgraph, as the steps of a plan ask it. */
export class Subgraph implements EntitySource {
  private readonly queries: QueryFetches;
  private readonly entities: EntityFetches;
  private readonly contexts: ContextFetches;

  constructor(
    readonly source: SubgraphSource,
    mutations: MutationCount,
  ) {
    const { figures } = source;
    this.queries = new QueryFetches(source, mutations, () => figures.coalesced());
    const onMerged = (requests: number) => figures.merged(requests);
    this.entities = new EntityFetches(source, onMerged);
    this.contexts = new ContextFetches(source, this.entities, onMerged);
  }

  /** @throws what went wrong on the way: `refusal` says it in the client's words */
  ask(question: Question, asking: Asking): Promise<SubgraphAnswer> {
    return question.operation.kind === 'query' ? this.queries.ask(question, asking) : this.source.ask(question, asking);
  }

  /** @throws like `ask` */
  askEntities(question: EntityQuestion, asking: Asking): Promise<EntityAnswer> {
    const { contexts } = question.operation;
    return contexts.length === 0 ? this.entities.ask(question, asking) : this.contexts.ask(question, asking);
  }

  refusal(thrown: unknown, question: Pick<Question, 'operation'>): GraphQLFormattedError {
    return this.source.refusal(thrown, question);
  }
}

/** Every subgraph that is served. */
export class Subgraphs {
  constructor(private readonly all: ReadonlyMap<string, Subgraph>) {}

  /** @throws Error for a virtual subgraph: it exists only to be composed, and no plan of a query reaches it */
  get(name: string): Subgraph {
    const found = this.all.get(name);
    if (!found) throw new Error(`nothing serves the subgraph ${name}`);
    return found;
  }

  get sources(): SubgraphSource[] {
    return [...this.all.values()].map(({ source }) => source);
  }
}
