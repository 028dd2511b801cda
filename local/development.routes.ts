import type { JSONWebKeySet } from 'jose';
import type { Route, RouteAnswer } from '../subgraphs/kernel/graphql/subgraph.js';
import { type DevelopmentCode, developmentPage } from './development.page.js';

export interface DevelopmentSource {
  readonly tokens: Readonly<Record<string, string>>;
  readonly codes: readonly DevelopmentCode[];
  readonly keys: JSONWebKeySet;
  /** What the outside systems believe, in their own words; asked anew each time. */
  books(): Promise<Readonly<Record<keyof typeof PAGES, unknown>>>;
}

/** What of their books is about payments: the rest is their own affair. */
const PAGES = {
  paypal: ['orders', 'authorizations', 'captures', 'refunds'],
  wechatPay: ['transactions', 'refunds'],
} as const;

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
    get('/dev/books', async () => {
      const { paypal, wechatPay } = await books();
      return json({ paypal: pagesOf('paypal', paypal), wechatPay: pagesOf('wechatPay', wechatPay) });
    }),
    get('/dev/jwks.json', () => json(keys)),
  ];
}

/** Null where the outside system is a real one, which shows its books to nobody. */
function pagesOf(system: keyof typeof PAGES, books: unknown): Record<string, unknown> | null {
  if (typeof books !== 'object' || books === null) return null;
  const pages: Record<string, unknown> = { ...books };
  return Object.fromEntries(PAGES[system].map((name) => [name, pages[name] ?? []]));
}

function json(value: unknown): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(value, null, 2),
  };
}
