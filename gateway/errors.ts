import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError } from '../subgraphs/kernel/error.js';
import { currentRequest, type Logger } from '../subgraphs/kernel/telemetry.js';

// What graphql-js, Apollo Server or the planner say of a malformed request: harmless, and a developer needs it.
const OF_THE_REQUEST = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

// As graphql-js ends what it says of a name, a value or a field that it does not know.
const HINT = / ?Did you mean [^?]*\?$/;

// Codes that say "we do not know what went wrong": their message may hold anything.
const UNEXPLAINED = new Set(['INTERNAL_SERVER_ERROR', 'DOWNSTREAM_SERVICE_ERROR']);

/**
 * What a client sees of an error. Of a subgraph's: its code, message, details, whether a retry may help and the id to
 * ask about; never a stack, a service's address or an answer's body. Of anything without a public code: only
 * INTERNAL_SERVER_ERROR and an id under which the log has the truth.
 * @param hints whether a wrong name is answered with names of the schema that are like it
 */
export function formatError(
  formatted: GraphQLFormattedError,
  thrown: unknown,
  logger: Logger,
  hints = true,
): GraphQLFormattedError {
  const { locations, path } = formatted;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const cause = domainErrorIn(thrown);
  if (cause) return { ...ofDomain(cause), ...place };
  const { code, details, transient, correlationId } = formatted.extensions ?? {};
  if (typeof code === 'string' && OF_THE_REQUEST.has(code)) {
    const message = hints ? formatted.message : formatted.message.replace(HINT, '');
    return { message, ...place, extensions: { code } };
  }
  if (typeof code === 'string' && !UNEXPLAINED.has(code)) {
    const facts = scalarsOf(details);
    const extensions = { code, transient: transient === true, ...(facts && { details: facts }) };
    return { message: formatted.message, ...place, extensions };
  }
  return { ...unexplained(thrown, correlationId, logger), ...place };
}

/** The same for an error that no Apollo pipeline formatted. */
export function formatThrown(thrown: unknown, logger: Logger): GraphQLFormattedError {
  const plain = thrown instanceof GraphQLError ? thrown.toJSON() : { message: '' };
  return formatError(plain, thrown, logger);
}

function ofDomain(error: DomainError): GraphQLFormattedError {
  const { message, code, transient, details } = error;
  return { message, extensions: { code, transient, ...(Object.keys(details).length > 0 && { details }) } };
}

function unexplained(thrown: unknown, correlationId: unknown, logger: Logger): GraphQLFormattedError {
  // A subgraph that gave an id has logged its own failure already.
  const known = typeof correlationId === 'string' ? correlationId : null;
  const id = known ?? currentRequest.getStore()?.requestId ?? randomUUID();
  const err = thrown instanceof GraphQLError ? (thrown.originalError ?? thrown) : thrown;
  if (!known) logger.error({ err, correlationId: id }, 'failed');
  return {
    message: 'Something went wrong on our side.',
    extensions: { code: 'INTERNAL_SERVER_ERROR', transient: true, correlationId: id },
  };
}

function domainErrorIn(thrown: unknown): DomainError | null {
  if (thrown instanceof DomainError) return thrown;
  if (thrown instanceof GraphQLError && thrown.originalError) return domainErrorIn(thrown.originalError);
  return null;
}

/** `details` of a public error are facts to switch on; whatever else a subgraph put there stays inside. */
function scalarsOf(details: unknown): Record<string, unknown> | null {
  if (typeof details !== 'object' || details === null) return null;
  const facts = Object.entries(details).filter(
    ([, value]) => value === null || ['string', 'number', 'boolean'].includes(typeof value),
  );
  return facts.length > 0 ? Object.fromEntries(facts) : null;
}
