import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { readConfiguration, variable } from '../../../subgraphs/kernel/configuration.js';
import type { CannedName } from './canned.schema.js';
import type { OperationName } from './operations.js';
import { listening, tell } from './process.channel.js';

// What somebody would write by hand for just these operations: no planner, no validation, no schema, only the fetches that
// are needed and the answer put together. It is the limit that a gateway on node:http and undici can come near to.

interface User {
  readonly id: string;
  readonly reviews: readonly Review[];
}
interface Product {
  readonly upc: string;
  readonly reviews: readonly Review[];
}
interface Review {
  readonly body: string;
  readonly rating: number;
  readonly author: { readonly id: string };
  readonly product: { readonly upc: string };
  readonly endorsedBy: { readonly id: string };
}
interface Values {
  readonly id: string;
}

const { SUBGRAPH_URLS } = readConfiguration({ SUBGRAPH_URLS: variable.text() });
const urls = JSON.parse(SUBGRAPH_URLS) as Record<CannedName, string>;
const pool = (name: CannedName) => new Pool(new URL(urls[name]).origin, { connections: 128 });
const pools = { users: pool('users'), reviews: pool('reviews'), products: pool('products') };
const headers = { 'content-type': 'application/json', accept: 'application/json' };

/** A fetch with its text made ready. */
function fetching<Answer>(name: CannedName, query: string): (variables: object) => Promise<Answer> {
  const path = new URL(urls[name]).pathname;
  const opening = `{"query":${JSON.stringify(query)},"variables":`;
  return async (variables) => {
    const body = `${opening}${JSON.stringify(variables)}}`;
    const answer = await pools[name].request({ method: 'POST', path, headers, body });
    const { data, errors } = JSON.parse(await answer.body.text());
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
}

/** Entities by key, each asked for once. */
function entities<Entity>(name: CannedName, type: string, keyField: string, fields: string) {
  const ask = fetching<{ _entities: Entity[] }>(
    name,
    `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type} { ${fields} } } }`,
  );
  return async (keys: readonly string[]): Promise<Map<string, Entity>> => {
    const distinct = [...new Set(keys)];
    const representations = distinct.map((key) => ({ __typename: type, [keyField]: key }));
    const { _entities: found } = await ask({ representations });
    const byKey = new Map<string, Entity>();
    found.forEach((entity, index) => {
      byKey.set(distinct[index] ?? '', entity);
    });
    return byKey;
  };
}

const one = (fields: string) => fetching<{ user: User }>('users', `query ($id: ID!) { user(id: $id) { ${fields} } }`);
const item = (fields: string) =>
  fetching<{ product: Product }>('products', `query ($id: ID!) { product(upc: $id) { ${fields} } }`);
const byUser = (fields: string) => entities<User>('reviews', 'User', 'id', `reviews { ${fields} }`);
const byProduct = (fields: string) => entities<Product>('reviews', 'Product', 'upc', `reviews { ${fields} }`);

const userName = one('name');
const userIdName = one('id name');
const userIdUsername = one('id username');
const users = fetching<object>('users', 'query ($from: Int!) { users(from: $from, first: 3) { id name birthYear } }');
const page = fetching<{ users: User[] }>(
  'users',
  'query ($from: Int!, $first: Int!) { users(from: $from, first: $first) { id name } }',
);
const productUpcName = item('upc name');
const productName = item('name');
const productUpcPriceWeight = item('upc price weight');
const userReviews = byUser('id body rating');
const userRatings = byUser('rating product { upc }');
const pageReviews = byUser('id body rating product { upc } endorsedBy { id }');
const productReviews = byProduct('id body');
const productAuthors = byProduct('body author { id }');
const products = entities<object>('products', 'Product', 'upc', 'upc name price');
const people = entities<object>('users', 'User', 'id', 'id name username');
const names = entities<object>('users', 'User', 'id', 'name username');

const answers: Readonly<Record<OperationName, (variables: Values) => Promise<object>>> = {
  User: one('id name username birthYear'),
  UserName: userName,
  Product: item('upc name price weight'),
  Users: users,
  UserReviews: async ({ id }) => {
    const [{ user }, reviewed] = await Promise.all([userIdName({ id }), userReviews([id])]);
    return { user: { ...user, reviews: reviewed.get(id)?.reviews } };
  },
  ProductReviews: async ({ id }) => {
    const [{ product }, reviewed] = await Promise.all([productUpcName({ id }), productReviews([id])]);
    return { product: { ...product, reviews: reviewed.get(id)?.reviews } };
  },
  UserProducts: async ({ id }) => {
    const [{ user }, reviewed] = await Promise.all([userName({ id }), userRatings([id])]);
    const reviews = reviewed.get(id)?.reviews ?? [];
    const sold = await products(reviews.map(({ product }) => product.upc));
    return {
      user: { ...user, reviews: reviews.map(({ rating, product }) => ({ rating, product: sold.get(product.upc) })) },
    };
  },
  ProductAuthors: async ({ id }) => {
    const [{ product }, reviewed] = await Promise.all([productName({ id }), productAuthors([id])]);
    const reviews = reviewed.get(id)?.reviews ?? [];
    const authors = await names(reviews.map(({ author }) => author.id));
    return {
      product: { ...product, reviews: reviews.map(({ body, author }) => ({ body, author: authors.get(author.id) })) },
    };
  },
  UserAndProduct: async ({ id }) => {
    const [{ user }, { product }] = await Promise.all([userIdUsername({ id }), productUpcPriceWeight({ id })]);
    return { user, product };
  },
  Page: async (variables) => {
    const { users: found } = await page(variables);
    const reviewed = await pageReviews(found.map(({ id }) => id));
    const reviews = [...reviewed.values()].flatMap((user) => user.reviews);
    const [sold, endorsers] = await Promise.all([
      products(reviews.map(({ product }) => product.upc)),
      people(reviews.map(({ endorsedBy }) => endorsedBy.id)),
    ]);
    const complete = (review: Review) => ({
      ...review,
      product: sold.get(review.product.upc),
      endorsedBy: endorsers.get(review.endorsedBy.id),
    });
    return { users: found.map((user) => ({ ...user, reviews: reviewed.get(user.id)?.reviews.map(complete) })) };
  },
};

async function respond(body: string, response: ServerResponse): Promise<void> {
  const { operationName, variables } = JSON.parse(body) as { operationName: OperationName; variables: Values };
  const text = JSON.stringify({ data: await answers[operationName](variables) });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    respond(body, response).catch((thrown: unknown) => {
      response.writeHead(500);
      response.end(String(thrown));
    });
  });
}

const server = createServer(receive);
server.keepAliveTimeout = 65_000;
tell({ url: `${await listening(server)}/graphql` });
