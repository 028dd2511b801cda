import { request } from 'undici';

/** A server that knows nothing of such a question answers one of these. */
const NOT_OFFERED = new Set([401, 403, 404, 405]);

/**
 * Asks a subgraph over HTTP whether it has all that it depends on: `health/ready` beside its GraphQL path. Servers that
 * do not offer that are not asked for more than GraphQL.
 *
 * @param url of its GraphQL endpoint
 * @returns a question that throws when it is not ready
 */
export function readinessAt(url: string): (signal: AbortSignal) => Promise<void> {
  const place = new URL('health/ready', url);
  return async (signal) => {
    const { statusCode, body } = await request(place, { signal });
    await body.dump();
    const isReady = statusCode >= 200 && statusCode < 300;
    if (!isReady && !NOT_OFFERED.has(statusCode)) throw new Error(`not ready (HTTP ${statusCode})`);
  };
}
