import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { InvalidError } from '../subgraphs/kernel/error.js';
import { askerOf, type Identity } from './context.js';
import { type Rate, RateLimiter } from './rate-limit.js';

/** How much one operation may ask for. Checked before validation, whose own cost grows faster than the text. */
export interface DocumentLimits {
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  /** Fields after all fragments are spread out: a few fragments can stand for millions. */
  readonly fields: number;
}

export interface AdmissionOptions {
  readonly limits: DocumentLimits;
  /** Null: nobody is counted. */
  readonly rate: Rate | null;
}

export const defaultLimits: DocumentLimits = { tokens: 4_000, depth: 25, aliases: 100, fields: 2_000 };
export const defaultRate: Rate = { perSecond: 1_000, burst: 5_000 };

/** An operation as it came in, whatever it came by. */
export interface OperationRequest {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An operation that may go on; not yet validated against the schema. */
export interface AdmittedOperation extends OperationRequest {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

// Counted in characters of text. A parsed document takes some thirty times that.
const CACHED_TEXT = 1024 * 1024;

/** Decides whether an operation may be looked at: who asks how often, and how much it asks for. One for all transports. */
export class Admission {
  private readonly limiter: RateLimiter | null;
  private readonly documents = new LRUCache<string, DocumentNode | Error>({
    maxSize: CACHED_TEXT,
    sizeCalculation: (_document, text) => text.length + 100,
  });

  constructor(private readonly options: AdmissionOptions) {
    this.limiter = options.rate && new RateLimiter(options.rate);
  }

  /** @throws UnavailableError RATE_LIMITED */
  count(identity: Identity, address: string): void {
    this.limiter?.take(askerOf(identity, address));
  }

  /**
   * @throws InvalidError OPERATION_TOO_COMPLEX, BAD_REQUEST for a text sent with the hash of another one
   * @throws GraphQLError GRAPHQL_PARSE_FAILED, OPERATION_RESOLUTION_FAILURE
   */
  admit(request: OperationRequest & { query: string }): AdmittedOperation {
    requireOwnHash(request);
    const known = this.documents.get(request.query) ?? this.read(request.query);
    if (known instanceof Error) throw known;
    const operation = getOperationAST(known, request.operationName);
    if (!operation) throw noOperation();
    return { ...request, document: known, operation };
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
      const weight = weigh(document);
      if (weight.depth > limits.depth) return tooComplex('depth', limits.depth);
      if (weight.aliases > limits.aliases) return tooComplex('aliases', limits.aliases);
      if (weight.fields > limits.fields) return tooComplex('fields', limits.fields);
      return document;
    } catch (thrown) {
      if (!(thrown instanceof GraphQLError)) throw thrown;
      // graphql-js has no code for it.
      if (/more tha[nt] \d+ tokens/.test(thrown.message)) return tooComplex('tokens', limits.tokens);
      const { source, positions, message } = thrown;
      return new GraphQLError(message, { source, positions, extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
    }
  }
}

interface Weight {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
}

const NOTHING: Weight = { depth: 0, aliases: 0, fields: 0 };

/** The heaviest operation of a document. Each fragment is weighed once, however often it is spread. */
export function weigh(document: DocumentNode): Weight {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition.selectionSet);
  const weighed = new Map<string, Weight>();

  const ofFragment = (name: string): Weight => {
    const known = weighed.get(name);
    if (known) return known;
    const selections = fragments.get(name);
    // An unknown fragment and one inside itself weigh nothing: validation refuses both.
    weighed.set(name, NOTHING);
    if (!selections) return NOTHING;
    const weight = ofSelections(selections);
    weighed.set(name, weight);
    return weight;
  };

  const ofSelections = (set: SelectionSetNode): Weight =>
    set.selections.reduce((sum, selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return plus(sum, ofFragment(selection.name.value));
      const inner = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING;
      if (selection.kind === Kind.INLINE_FRAGMENT) return plus(sum, inner);
      return plus(sum, {
        depth: inner.depth + 1,
        aliases: inner.aliases + (selection.alias ? 1 : 0),
        fields: inner.fields + 1,
      });
    }, NOTHING);

  return document.definitions.reduce((heaviest, definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return heaviest;
    const weight = ofSelections(definition.selectionSet);
    return {
      depth: Math.max(heaviest.depth, weight.depth),
      aliases: Math.max(heaviest.aliases, weight.aliases),
      fields: Math.max(heaviest.fields, weight.fields),
    };
  }, NOTHING);
}

function plus(left: Weight, right: Weight): Weight {
  return {
    depth: Math.max(left.depth, right.depth),
    aliases: left.aliases + right.aliases,
    fields: left.fields + right.fields,
  };
}

/** Apollo Server refuses these too, but without a code: the client would read that we failed. */
function requireOwnHash({ query, extensions }: OperationRequest & { query: string }): void {
  const persisted = extensions?.['persistedQuery'];
  if (typeof persisted !== 'object' || persisted === null) return;
  const { version, sha256Hash } = persisted as { version?: unknown; sha256Hash?: unknown };
  if (version !== 1) throw new InvalidError('BAD_REQUEST', 'Persisted queries are understood in version 1.');
  if (sha256Hash !== createHash('sha256').update(query).digest('hex'))
    throw new InvalidError('BAD_REQUEST', 'The hash of this persisted query is not the hash of its text.');
}

function noOperation(): GraphQLError {
  const extensions = { code: 'OPERATION_RESOLUTION_FAILURE' };
  return new GraphQLError('Name the operation to run: there is none, or more than one.', { extensions });
}

function tooComplex(what: string, most: number): InvalidError {
  return new InvalidError('OPERATION_TOO_COMPLEX', `This operation is too large: at most ${most} ${what}.`, {
    what,
    most,
  });
}
