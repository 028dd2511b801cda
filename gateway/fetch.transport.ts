import type { DocumentNode, GraphQLFormattedError } from 'graphql';
import type { FetchOperation } from './fetch.operation.js';

export type Values = Readonly<Record<string, unknown>>;

/** One fetch of a plan, as a subgraph receives it. */
export class SubgraphRequest {
  constructor(
    readonly operation: Pick<FetchOperation, 'text' | 'name' | 'opening' | 'document'>,
    private readonly others: Values,
    readonly headers: Readonly<Record<string, string>>,
    /** The variable `representations`, each one as JSON. */
    private readonly representations: readonly string[] | null = null,
  ) {}

  get query(): string {
    return this.operation.text;
  }

  /** `query`, parsed: for subgraphs in this process. */
  get document(): DocumentNode {
    return this.operation.document;
  }

  get operationName(): string | undefined {
    return this.operation.name;
  }

  get variables(): Values {
    if (!this.representations) return this.others;
    return { ...this.others, representations: JSON.parse(`[${this.representations.join(',')}]`) as unknown };
  }

  /** The whole request as JSON: for those who send it. */
  get body(): string {
    const { opening } = this.operation;
    const others = JSON.stringify(this.others).slice(1);
    if (!this.representations) return `${opening}${others}}`;
    return `${opening}"representations":[${this.representations.join(',')}]${others === '}' ? '' : ','}${others}}`;
  }
}

export interface SubgraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLFormattedError[];
}

/** A fetch under way, as whoever carries it sees it: it may be told to stop. */
export interface Carried {
  /** Called at most once, when nobody waits for the answer any more. */
  onStop: (() => void) | null;
}

/** How a subgraph is reached: over HTTP or in this process. Throws whatever goes wrong on the way. */
export interface SubgraphTransport {
  (request: SubgraphRequest, carried: Carried): Promise<SubgraphAnswer>;
  /** Whether it has all that it depends on, where it can say so. @throws when it has not */
  ready?(signal: AbortSignal): Promise<void>;
}

/** Any status will do when the body is a GraphQL answer; a load balancer's error page is none. @throws Error */
export function parseAnswer(text: string, statusCode: number): SubgraphAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`not JSON (HTTP ${statusCode})`);
  }
  if (!isAnswer(answer)) throw new Error(`not a GraphQL answer (HTTP ${statusCode})`);
  return answer;
}

// Written out, not a zod schema: this runs for each fetch and must not walk the data.
function isAnswer(value: unknown): value is SubgraphAnswer {
  if (!isObject(value)) return false;
  const { data, errors } = value;
  if (data === undefined && errors === undefined) return false;
  if (data !== undefined && data !== null && !isObject(data)) return false;
  return errors === undefined || (Array.isArray(errors) && errors.every(isError));
}

function isError(value: unknown): boolean {
  return (
    isObject(value) && typeof value['message'] === 'string' && (value['path'] === undefined || isPath(value['path']))
  );
}

function isPath(value: unknown): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === 'string' || typeof part === 'number');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
