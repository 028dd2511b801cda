import { LRUCache } from 'lru-cache';
import type { StreamTransport } from './metrics.js';
import type { StreamFormat } from './stream.writer.js';
import { multipart } from './subscribe.multipart.js';
import { serverSentEvents } from './subscribe.sse.js';

/** What a client takes as an answer, by its Accept header. */
export interface Acceptance {
  /** A whole JSON document. */
  readonly json: boolean;
  /** Under which name it takes JSON. */
  readonly jsonType: JsonType | null;
  /** The streaming protocol it likes best, if any. */
  readonly stream: { readonly transport: StreamTransport; readonly format: StreamFormat } | null;
  /** It would rather have a stream, also for what is refused at once. */
  readonly prefersStream: boolean;
}

export type JsonType = 'application/json' | 'application/graphql-response+json';

interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

const JSON_TYPES = new Map<string, JsonType>([
  ['application/json', 'application/json'],
  ['application/graphql-response+json', 'application/graphql-response+json'],
  ['application/*', 'application/json'],
  ['*/*', 'application/json'],
]);

const ANYTHING: Acceptance = { json: true, jsonType: 'application/json', stream: null, prefersStream: false };

// Few clients, and each always sends the same.
const known = new LRUCache<string, Acceptance>({ max: 100 });

export function acceptanceOf(accept: string | undefined): Acceptance {
  if (!accept) return ANYTHING;
  const before = known.get(accept);
  if (before) return before;
  const acceptance = parseAcceptance(accept);
  if (accept.length <= LONGEST_KNOWN) known.set(accept, acceptance);
  return acceptance;
}

const LONGEST_KNOWN = 500;

/** Parsed, not compared: clients quote values, add parameters and put them in any order. */
function parseAcceptance(accept: string): Acceptance {
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ quality }) => quality > 0)
    .sort((left, right) => right.quality - left.quality);
  const json = ranges.findIndex(({ type }) => JSON_TYPES.has(type));
  const streaming = ranges.findIndex((range) => streamOf(range) !== null);
  const range = ranges[streaming];
  return {
    json: json >= 0,
    jsonType: JSON_TYPES.get(ranges[json]?.type ?? '') ?? null,
    stream: range ? streamOf(range) : null,
    prefersStream: streaming >= 0 && (json < 0 || streaming < json),
  };
}

function streamOf({ type, parameters }: MediaRange): Acceptance['stream'] {
  if (type === 'text/event-stream') return { transport: 'sse', format: serverSentEvents };
  // Without this parameter it is the multipart of @defer, which is another protocol.
  if (type === 'multipart/mixed' && parameters['subscriptionspec'] === '1.0')
    return { transport: 'multipart', format: multipart };
  return null;
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const parameters: Record<string, string> = {};
  for (const parameter of rest) {
    const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
    parameters[name.toLowerCase()] = value.replace(/^"(.*)"$/, '$1');
  }
  const quality = Number(parameters['q'] ?? 1);
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality };
}
