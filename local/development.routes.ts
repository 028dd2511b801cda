import type { JSONWebKeySet } from 'jose';
import type { Route, RouteAnswer } from '../subgraphs/kernel/graphql/subgraph.js';
import { type DevelopmentCode, developmentPage } from './development.page.js';

export interface DevelopmentSource {
  readonly tokens: Readonly<Record<string, string>>;
  readonly codes: readonly DevelopmentCode[];
  readonly keys: JSONWebKeySet;
  /** What the outside systems believe; asked anew each time. */
  books(): Promise<{ paypal: unknown; wechatPay: unknown }>;
}

/** What a development machine answers beside the graph. Production has none of these. */
export function developmentRoutes({ tokens, codes, keys, books }: DevelopmentSource): Route[] {
  const get = (path: string, answer: () => RouteAnswer | Promise<RouteAnswer>): Route => ({
    method: 'GET',
    path,
    answer: async () => answer(),
  });
  return [
    get('/dev', () => ({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      body: developmentPage(codes, tokens),
    })),
    get('/dev/tokens', () => json(tokens)),
    get('/dev/codes', () => json(codes)),
    get('/dev/books', async () => json(await books())),
    get('/dev/jwks.json', () => json(keys)),
  ];
}

function json(value: unknown): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(value, null, 2),
  };
}
