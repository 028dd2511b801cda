import { renderUnicodeCompact } from 'uqr';

export interface BannerContents {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
  /** A code to scan, and whose it is. */
  readonly code: { readonly payload: string; readonly title: string };
  readonly startedInMs: number;
}

/** What the person who typed `npm start` wants to know next. */
export function banner({ url, tokens, code, startedInMs }: BannerContents): string {
  const longest = Math.max(...Object.keys(tokens).map((who) => who.length));
  const tokenLines = Object.entries(tokens).map(([who, token]) => `  ${who.padEnd(longest)} ${token}`);
  return [
    '',
    `Sojourn is ready at ${url} (after ${(startedInMs / 1_000).toFixed(1)} s)`,
    '',
    `  try it     ${url}/dev        codes, tokens, links`,
    `  sandbox    ${url}/           Apollo Sandbox`,
    `  graph      ${url}/graphql    queries, mutations, subscriptions (graphql-ws, SSE, multipart)`,
    `  health     ${url}/health/ready    metrics ${url}/metrics`,
    `  walk       npm run demo      one payment, step by step`,
    '',
    'Bearer tokens (development only):',
    ...tokenLines,
    '',
    `${code.title}: ${code.payload}`,
    renderUnicodeCompact(code.payload, { border: 2, ecc: 'M' }),
    '',
    'Ctrl+C stops everything.',
    '',
  ].join('\n');
}
