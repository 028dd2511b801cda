import type { CannedName } from './canned.schema.js';

/** The four fetches of the operation Page, as any gateway sends them. */
export const fetches = {
  page: {
    to: 'users',
    query: 'query ($from: Int!, $first: Int!) { users(from: $from, first: $first) { __typename id name } }',
  },
  reviews: {
    to: 'reviews',
    query:
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { reviews { ' +
      'id body rating product { __typename upc } endorsedBy { __typename id } } } } }',
  },
  products: {
    to: 'products',
    query:
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { name price } } }',
  },
  endorsers: {
    to: 'users',
    query:
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on User { name username } } }',
  },
} as const satisfies Record<string, { to: CannedName; query: string }>;

export type FetchName = keyof typeof fetches;
export const fetchNames = Object.keys(fetches) as FetchName[];

/** One of them for a page that begins at this key; products and endorsers are one more than its rows. */
export function fetchBody(name: FetchName, from: number, rows: number): string {
  const { query } = fetches[name];
  if (name === 'page') return JSON.stringify({ query, variables: { from, first: rows } });
  const count = name === 'reviews' ? rows : rows + 1;
  const entity = (key: number) =>
    name === 'products' ? { __typename: 'Product', upc: String(key) } : { __typename: 'User', id: String(key) };
  const representations = Array.from({ length: count }, (_, index) => entity(from + index));
  return JSON.stringify({ query, variables: { representations } });
}
