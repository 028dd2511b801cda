const STATUS: Readonly<Record<string, number>> = {
  // Clients of automatic persisted queries take any other status for a failure of the network.
  PERSISTED_QUERY_NOT_FOUND: 200,
  PERSISTED_QUERY_NOT_SUPPORTED: 200,
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  SIGN_IN_UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
};

/** The HTTP status of an operation that is refused as a whole, by its public code. */
export function statusOfCode(code: unknown): number {
  return STATUS[String(code)] ?? 400;
}
