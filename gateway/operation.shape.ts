import { InvalidError } from '../subgraphs/kernel/error.js';
import type { OperationRequest } from './admission.js';

/**
 * The operation that a client sent, whatever it came by: the same mistake has the same answer over every transport.
 * @throws InvalidError BAD_REQUEST that names the part with the wrong JSON type; null is as good as absent
 */
export function operationOf(sent: unknown): OperationRequest {
  if (!isRecord(sent)) throw badRequest('An operation must be an object with a `query`; batches are not taken.');
  const asSent: unknown = Reflect.get(sent, AS_SENT) ?? sent;
  const { query, documentId, operationName, variables, extensions } = asSent as Record<string, unknown>;
  if (query != null && typeof query !== 'string') throw badRequest('`query` must be a string.');
  if (documentId != null && typeof documentId !== 'string') throw badRequest('`documentId` must be a string.');
  if (operationName != null && typeof operationName !== 'string')
    throw badRequest('`operationName` must be a string where there is one.');
  if (variables != null && !isRecord(variables)) throw badRequest('`variables` must be an object where there are any.');
  if (extensions != null && !isRecord(extensions))
    throw badRequest('`extensions` must be an object where there are any.');
  return {
    ...(query != null && { query }),
    ...(documentId != null && { documentId }),
    ...(operationName != null && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
  };
}

/** What `operationOf` throws for a request that cannot be read. */
export function badRequest(message: string): InvalidError {
  return new InvalidError('BAD_REQUEST', message);
}

const AS_SENT = Symbol('as sent');

/**
 * A JSON reviver for graphql-ws, which would close the socket, and all else that goes on there, over one malformed
 * operation: it gets a well-formed stand-in, from which `operationOf` reads what was sent.
 */
export function standInForMalformed(_key: string, message: unknown): unknown {
  if (!isRecord(message) || message['type'] !== 'subscribe' || !isRecord(message['payload'])) return message;
  try {
    operationOf(message['payload']);
    return message;
  } catch {
    return { ...message, payload: { query: '', [AS_SENT]: message['payload'] } };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
