import type { IncomingMessage, ServerResponse } from 'node:http';

export interface CorsOptions {
  /** Exact origins, or `*`. */
  readonly origins: readonly string[];
  /** Also pages served from this machine, on any port: for those who build a client. */
  readonly loopback: boolean;
}

const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const DAY_SECONDS = '86400';

/**
 * Lets pages of other origins in. Never with credentials: identity is a token that the page itself holds.
 * @returns whether this was a preflight, which is answered
 */
export function answerCors(request: IncomingMessage, response: ServerResponse, options: CorsOptions): boolean {
  const { origin } = request.headers;
  const isPreflight = request.method === 'OPTIONS';
  response.setHeader('vary', 'origin');
  if (origin && isAllowed(origin, options)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', 'x-request-id, retry-after');
    if (isPreflight) allowPreflight(request, response);
  }
  if (isPreflight) response.writeHead(204, { allow: 'GET, POST, OPTIONS' }).end();
  return isPreflight;
}

function isAllowed(origin: string, { origins, loopback }: CorsOptions): boolean {
  return origins.includes('*') || origins.includes(origin) || (loopback && LOOPBACK.test(origin));
}

function allowPreflight(request: IncomingMessage, response: ServerResponse): void {
  const { headers } = request;
  const asked = headers['access-control-request-headers'];
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS');
  response.setHeader('access-control-max-age', DAY_SECONDS);
  // Sandbox sends whatever its user types as a header; none of them can do harm without credentials.
  if (asked) response.setHeader('access-control-allow-headers', asked);
  // Chrome asks before a public page may reach a machine in a private network, such as this one in development.
  if (headers['access-control-request-private-network'] === 'true')
    response.setHeader('access-control-allow-private-network', 'true');
}
