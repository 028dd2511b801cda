import { type DocumentNode, parse } from 'graphql';
import { LRUCache } from 'lru-cache';
import { write } from './execute.row.js';

/** As the planner calls what `@fromContext` brings. */
const CONTEXT = /^contextualArgument_/;

export type FetchKind = 'query' | 'mutation' | 'subscription';

/** What one fetch of a plan sends, all but its variables. The same text for the same subgraph is the same object. */
export class FetchOperation {
  private parsed: DocumentNode | null = null;
  /** The request's JSON up to its variables. */
  readonly opening: string;
  /** Those of its variables that are no client's: what stands above its entities. */
  readonly contexts: readonly string[];

  constructor(
    readonly kind: FetchKind,
    readonly text: string,
    readonly name: string | undefined,
    /** The client's variables that it uses. */
    readonly variables: readonly string[],
  ) {
    const operationName = name === undefined ? '' : `,"operationName":${JSON.stringify(name)}`;
    this.contexts = variables.filter((each) => CONTEXT.test(each));
    this.opening = `{"query":${JSON.stringify(text)}${operationName},"variables":{`;
  }

  /** Parsed once, for subgraphs in this process. */
  get document(): DocumentNode {
    this.parsed ??= parse(this.text, { noLocation: true });
    return this.parsed;
  }

  /** Those of the client's variables that this fetch uses. One that was not given stays so: its default applies. */
  variablesIn(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const used: Record<string, unknown> = {};
    for (const name of this.variables) if (Object.hasOwn(given, name)) write(used, name, given[name]);
    return used;
  }
}

/**
 * One object per operation, so that fetches of different clients' operations are known to be the same. Forgets the
 * least used: those are then only merged less.
 */
export class FetchOperations {
  private readonly known: LRUCache<string, FetchOperation>;

  constructor(most: number) {
    this.known = new LRUCache({ max: most });
  }

  get(
    subgraph: string,
    kind: FetchKind,
    text: string,
    name: string | undefined,
    variables: readonly string[],
  ): FetchOperation {
    const key = `${subgraph}\n${text}`;
    const known = this.known.get(key);
    if (known) return known;
    const operation = new FetchOperation(kind, text, name, variables);
    this.known.set(key, operation);
    return operation;
  }
}
