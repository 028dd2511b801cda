// PostgreSQL, by its classes: 08 connection lost, 53 out of connections, memory or disk; it is starting or stopping, or
// gave a statement or a transaction up because it took too long.
const SQL_STATE = /^(08...|53...|57P0[1-3]|57014|25P0[34])$/;
const NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
// What the driver says without any code.
const DRIVER =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client was closed|Client has encountered a connection error)/;

/**
 * Whether this failed because the database is down, stopping, starting, full or too slow: later the same may succeed.
 * Whether a commit that was under way then took effect is not known.
 */
export function isDatabaseOutage(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false;
  const { code, message, cause } = thrown as { code?: unknown; message?: unknown; cause?: unknown };
  if (typeof code === 'string' && (SQL_STATE.test(code) || NETWORK.test(code))) return true;
  return (typeof message === 'string' && DRIVER.test(message)) || isDatabaseOutage(cause);
}
