import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';

// What a page of another origin can send without its browser asking us first.
const SIMPLE_TYPES = new Set(['', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);
// Any value will do: a browser asks before it sends one of these for another origin.
const PROOFS = ['x-apollo-operation-name', 'apollo-require-preflight'] as const;

/**
 * Refuses a request that a foreign page could make a visitor's browser send unasked: a form, an image, an EventSource.
 * Before anything is looked at, and whatever answer it accepts.
 * @throws GraphQLError BAD_REQUEST
 */
export function requirePreflight(headers: IncomingHttpHeaders): void {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (!SIMPLE_TYPES.has(type.trim().toLowerCase()) || PROOFS.some((name) => headers[name])) return;
  throw new GraphQLError(
    `This request could be forged by a page of another origin (CSRF). Send a content-type such as application/json, or the header ${PROOFS.join(' or ')}.`,
    { extensions: { code: 'BAD_REQUEST' } },
  );
}
