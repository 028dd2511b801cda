import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { InvalidError } from '../subgraphs/kernel/error.js';
import type { TrustedDocuments } from './admission.documents.js';
import type { OperationRequest } from './admission.js';

/** Which operations may be sent. `required`: only registered ones. `optional`: those by their id, others by their text. */
export type TrustMode = 'off' | 'optional' | 'required';

export interface PersistedOptions {
  readonly trusted: TrustedDocuments | null;
  readonly mode: TrustMode;
  /** Whether clients may register what they sent once, to send only its hash from then on. */
  readonly automatic: boolean;
}

/** The text that a request stands for. */
export interface RequestedText {
  readonly query: string;
  /** Under which hash the client wants to have it remembered. */
  readonly hash: string | null;
}

// Characters of text, all clients together.
const REMEMBERED = 4 * 1024 * 1024;

const extensionSchema = z.object({ version: z.literal(1), sha256Hash: z.string() });

/**
 * Turns what a request names into the text that it stands for, in one way for all transports: trusted documents by id,
 * automatic persisted queries by hash.
 */
export class PersistedDocuments {
  private readonly automatic = new LRUCache<string, string>({
    maxSize: REMEMBERED,
    sizeCalculation: (text, hash) => text.length + hash.length,
  });

  constructor(private readonly options: PersistedOptions) {}

  /**
   * Null when the request names nothing at all.
   * @throws InvalidError PERSISTED_QUERY_NOT_IN_LIST, QUERY_NOT_IN_SAFELIST, BAD_REQUEST
   * @throws GraphQLError PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED
   */
  textOf(request: OperationRequest): RequestedText | null {
    const hash = hashIn(request);
    const id = request.documentId ?? hash;
    // graphql-ws has no message without a text: there, an empty one stands for none.
    const text = request.query || undefined;
    const found = id === null ? undefined : this.trusted(id);
    if (found !== undefined && text !== undefined && text !== found) throw otherText();
    if (found !== undefined) return { query: found, hash: null };
    if (text !== undefined && hash !== null) requireOwnHash(text, hash);
    if (this.options.mode === 'required') this.requireTrusted(text, id);
    if (text !== undefined) return { query: text, hash: this.options.automatic ? hash : null };
    if (hash !== null) return { query: this.remembered(hash), hash: null };
    if (id !== null) throw notInList();
    return request.query === undefined ? null : { query: request.query, hash: null };
  }

  /** Keeps a text that was admitted. What was refused must not be kept: it would push out what others use. */
  remember({ query, hash }: RequestedText): void {
    if (hash !== null) this.automatic.set(hash, query);
  }

  /** Whether it is kept already. */
  knows({ hash }: RequestedText): boolean {
    return hash === null || this.automatic.has(hash);
  }

  private trusted(id: string): string | undefined {
    const { trusted, mode } = this.options;
    if (!trusted || mode === 'off') return undefined;
    // The proposal for GraphQL over HTTP writes the kind of hash before it, Apollo's manifests do not.
    return trusted.find(id) ?? (id.startsWith(SHA256) ? trusted.find(id.slice(SHA256.length)) : undefined);
  }

  private requireTrusted(text: string | undefined, id: string | null): void {
    if (text !== undefined && !this.options.trusted?.has(text))
      throw new InvalidError('QUERY_NOT_IN_SAFELIST', 'Only registered operations are run here, and this is none.');
    if (text === undefined && id !== null) throw notInList();
  }

  private remembered(hash: string): string {
    if (!this.options.automatic) throw persistedError('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED');
    const text = this.automatic.get(hash);
    if (text === undefined) throw persistedError('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND');
    return text;
  }
}

const SHA256 = 'sha256:';

function hashIn({ extensions, documentId }: OperationRequest): string | null {
  const persisted = extensions?.['persistedQuery'];
  if (persisted === undefined || persisted === null)
    return documentId?.startsWith(SHA256) ? documentId.slice(SHA256.length) : null;
  const { success, data } = extensionSchema.safeParse(persisted);
  if (!success)
    throw new InvalidError('BAD_REQUEST', 'Persisted queries are understood in version 1, with their sha256Hash.');
  return data.sha256Hash;
}

function requireOwnHash(text: string, hash: string): void {
  // Without this anyone could put another operation behind a hash that other clients send.
  if (hash !== createHash('sha256').update(text).digest('hex')) throw otherText();
}

function otherText(): InvalidError {
  return new InvalidError('BAD_REQUEST', 'The id of this persisted query is not the id of its text.');
}

function notInList(): InvalidError {
  return new InvalidError('PERSISTED_QUERY_NOT_IN_LIST', 'There is no registered operation with this id.');
}

/** Clients know these messages: they send the text next. */
function persistedError(message: string, code: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
