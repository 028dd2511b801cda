import type { Supergraph } from '@apollo/federation-internals';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { Costs } from './admission.cost.js';
import { brokenLimit, type DocumentLimits, defaultLimits, tooComplex } from './admission.limits.js';
import { PersistedDocuments, type PersistedOptions, type RequestedText } from './admission.persisted.js';
import type { Variables } from './admission.selections.js';
import { validateDocument } from './admission.validation.js';
import { askerOf, type Identity } from './context.js';
import { addressKey, type Rate, RateLimiter } from './rate-limit.js';

/** How much an operation may cost: what it may make the subgraphs do, by the lengths of the lists that it asks for. */
export interface CostLimit {
  readonly most: number;
  /** How long a list is that the schema says nothing of. */
  readonly listSize: number;
}

export interface AdmissionOptions {
  readonly limits: DocumentLimits;
  /** Null: nothing is estimated. */
  readonly cost: CostLimit | null;
  /** Operations of one asker. Null: nobody is counted. */
  readonly rate: Rate | null;
  /** Operations of one address, whoever asks from there. Null: no address is counted. */
  readonly addressRate: Rate | null;
  readonly persisted: PersistedOptions;
}

export const defaultCost: CostLimit = { most: 50_000, listSize: 10 };
export const defaultRate: Rate = { perSecond: 1_000, burst: 5_000 };
// Whole companies and mobile networks stand behind one address.
export const defaultAddressRate: Rate = { perSecond: 4_000, burst: 20_000 };
export const defaultAdmission: Omit<AdmissionOptions, 'persisted'> = {
  limits: defaultLimits,
  cost: defaultCost,
  rate: defaultRate,
  addressRate: defaultAddressRate,
};

/** An operation as it came in, whatever it came by. */
export interface OperationRequest {
  readonly query?: string;
  /** The id of a registered document, as the proposal for GraphQL over HTTP names it. */
  readonly documentId?: string;
  readonly operationName?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An operation that may go on, by its text; not yet validated against the schema. */
export interface AdmittedOperation extends OperationRequest {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** What it is estimated to cost; 0 when nothing is estimated. */
  readonly cost: number;
}

/** What admission must know of a supergraph. */
export interface AdmissionSchemas {
  readonly supergraph: Supergraph;
  readonly api: GraphQLSchema;
  readonly full: GraphQLSchema;
}

// Counted in characters of text. A parsed document takes some thirty times that.
const CACHED_TEXT = 1024 * 1024;

// So much of its cost counts as one operation more in the rates.
const COST_OF_ONE = 1_000;

/** Decides whether an operation may be looked at: who asks how often, and how much it asks for. One for all transports. */
export class Admission {
  private readonly askers: RateLimiter | null;
  private readonly addresses: RateLimiter | null;
  private readonly persisted: PersistedDocuments;
  private readonly documents = new LRUCache<string, DocumentNode | Error>({
    maxSize: CACHED_TEXT,
    sizeCalculation: (_document, text) => text.length + 100,
  });
  private schemas: AdmissionSchemas;
  private costs: Costs | null;

  constructor(
    private readonly options: AdmissionOptions,
    schemas: AdmissionSchemas,
  ) {
    this.askers = options.rate && new RateLimiter(options.rate);
    this.addresses = options.addressRate && new RateLimiter(options.addressRate);
    this.persisted = new PersistedDocuments(options.persisted);
    this.schemas = schemas;
    this.costs = this.costsOf(schemas);
  }

  /** From now on operations are for another supergraph. What is parsed and registered stays. */
  adopt(schemas: AdmissionSchemas): void {
    this.costs = this.costsOf(schemas);
    this.schemas = schemas;
  }

  /**
   * Counts a request before anyone looks at it: also one with a token that does not hold costs us a signature.
   * @throws UnavailableError RATE_LIMITED
   */
  countAddress(address: string): void {
    this.addresses?.take(addressKey(address));
  }

  /** @throws UnavailableError RATE_LIMITED */
  count(identity: Identity, address: string): void {
    this.askers?.take(askerOf(identity, addressKey(address)));
  }

  /** Counts what an admitted operation is more than an ordinary one: the next ones wait for it. */
  charge({ cost }: AdmittedOperation, identity: Identity, address: string): void {
    const more = Math.floor(cost / COST_OF_ONE);
    if (more === 0) return;
    this.addresses?.charge(addressKey(address), more);
    this.askers?.charge(askerOf(identity, addressKey(address)), more);
  }

  /** Whether its text has to be read first, as far as it can be told without looking for it. */
  isNew({ query }: OperationRequest): boolean {
    return Boolean(query) && !this.documents.has(query ?? '');
  }

  /**
   * Undefined when the request names no operation at all: Apollo Server says so.
   * @throws InvalidError OPERATION_TOO_COMPLEX, PERSISTED_QUERY_NOT_IN_LIST, QUERY_NOT_IN_SAFELIST, BAD_REQUEST for an
   * id that is not that of its text, BAD_USER_INPUT for a list whose length must be said
   * @throws GraphQLError GRAPHQL_PARSE_FAILED, OPERATION_RESOLUTION_FAILURE, PERSISTED_QUERY_NOT_FOUND,
   * PERSISTED_QUERY_NOT_SUPPORTED
   */
  admit(request: OperationRequest): AdmittedOperation | undefined {
    const text = this.persisted.textOf(request);
    if (!text) return undefined;
    const document = this.documents.get(text.query) ?? this.read(text.query);
    if (document instanceof Error) throw document;
    const operation = getOperationAST(document, request.operationName);
    if (!operation) throw noOperation();
    const cost = this.costOf(document, operation, request.variables ?? {});
    this.remember(text, document);
    const { documentId: _, extensions, ...rest } = request;
    return { ...rest, ...withoutHash(extensions), query: text.query, document, operation, cost };
  }

  private costsOf({ supergraph, full }: AdmissionSchemas): Costs | null {
    return this.options.cost && new Costs(supergraph, full, this.options.cost.listSize);
  }

  private costOf(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables): number {
    const { cost: limit } = this.options;
    const cost = this.estimate(document, operation, variables);
    if (limit && cost > limit.most) throw tooComplex('cost', limit.most, { cost });
    return cost;
  }

  private estimate(document: DocumentNode, operation: OperationDefinitionNode, variables: Variables): number {
    try {
      return this.costs?.of(document, operation, variables) ?? 0;
    } catch (thrown) {
      // Whoever misspells an argument is to read that, not that it is missing.
      if (!this.isValid(document)) return 0;
      throw thrown;
    }
  }

  private remember(text: RequestedText, document: DocumentNode): void {
    if (!this.persisted.knows(text) && this.isValid(document)) this.persisted.remember(text);
  }

  private isValid(document: DocumentNode): boolean {
    return validateDocument(this.schemas.api, document, { development: false }).length === 0;
  }

  private read(text: string): DocumentNode | Error {
    const checked = this.check(text);
    this.documents.set(text, checked);
    return checked;
  }

  private check(text: string): DocumentNode | Error {
    const { limits } = this.options;
    try {
      const document = parse(text, { maxTokens: limits.tokens });
      return brokenLimit(document, limits) ?? document;
    } catch (thrown) {
      if (!(thrown instanceof GraphQLError)) throw thrown;
      // graphql-js has no code for it.
      if (/more tha[nt] \d+ tokens/.test(thrown.message)) return tooComplex('tokens', limits.tokens);
      const { source, positions, message } = thrown;
      return new GraphQLError(message, { source, positions, extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
    }
  }
}

/** The extensions that are left for others to read: what was sent by hash goes on by its text. */
function withoutHash(extensions: OperationRequest['extensions']): Pick<OperationRequest, 'extensions'> {
  if (!extensions) return {};
  const { persistedQuery: _, ...rest } = extensions;
  return { extensions: rest };
}

function noOperation(): GraphQLError {
  const extensions = { code: 'OPERATION_RESOLUTION_FAILURE' };
  return new GraphQLError('Name the operation to run: there is none, or more than one.', { extensions });
}
