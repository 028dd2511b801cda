import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isDatabaseOutage } from '../database.outage.js';
import { DomainError, messageOf, UnavailableError } from '../error.js';
import { currentRequest, type Logger } from '../telemetry.js';

// What graphql-js and Apollo Server say of a malformed request: harmless, and a developer needs it.
const HARMLESS = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/**
 * What a client sees of an error: the code, message and details of a DomainError; SUBGRAPH_UNAVAILABLE when our database
 * does not answer; of anything else only INTERNAL_SERVER_ERROR and a correlation id, under which the log has the whole
 * truth.
 */
export function formatError(formatted: GraphQLFormattedError, thrown: unknown, logger: Logger): GraphQLFormattedError {
  const { locations, path } = formatted;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const cause = domainErrorIn(thrown) ?? outageIn(thrown, logger);
  if (cause) {
    const { code, message, details, transient } = cause;
    return { message, ...place, extensions: { code, transient, ...(Object.keys(details).length > 0 && { details }) } };
  }
  const code = formatted.extensions?.['code'];
  if (typeof code === 'string' && HARMLESS.has(code))
    return { message: formatted.message, ...place, extensions: { code } };
  const correlationId = currentRequest.getStore()?.requestId ?? randomUUID();
  logger.error(
    { err: thrown instanceof GraphQLError ? (thrown.originalError ?? thrown) : thrown, correlationId },
    'failed',
  );
  return {
    message: 'Something went wrong on our side. Nothing was charged that the payment does not show.',
    ...place,
    extensions: { code: 'INTERNAL_SERVER_ERROR', transient: true, correlationId },
  };
}

function domainErrorIn(thrown: unknown): DomainError | null {
  if (thrown instanceof DomainError) return thrown;
  if (thrown instanceof GraphQLError && thrown.originalError) return domainErrorIn(thrown.originalError);
  return null;
}

/** To our callers it is the same as if we ourselves did not answer. */
function outageIn(thrown: unknown, logger: Logger): DomainError | null {
  const cause = thrown instanceof GraphQLError ? thrown.originalError : thrown;
  if (!isDatabaseOutage(cause)) return null;
  logger.warn({ cause: messageOf(cause) }, 'the database does not answer');
  // The connection may have broken in the middle of a commit.
  return new UnavailableError('SUBGRAPH_UNAVAILABLE', 'A part of the service does not answer. Try again.', {
    outcome: 'UNKNOWN',
  });
}
