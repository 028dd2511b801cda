import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, parse } from 'graphql';
import { composeSupergraph } from '../../../schema/compose.js';

/** The served subgraphs. A fourth one, of events, is only composed. */
export const SUBGRAPHS = ['users', 'reviews', 'products'] as const;
export type CannedName = (typeof SUBGRAPHS)[number];

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';

const typeDefs: Readonly<Record<CannedName, string>> = {
  users: `${LINK}
    type Query { user(id: ID!): User  users(from: Int!, first: Int!): [User!]! }
    type User @key(fields: "id") { id: ID! name: String! username: String! birthYear: Int! }
  `,
  reviews: `${LINK}
    type User @key(fields: "id") { id: ID! reviews: [Review!]! }
    type Product @key(fields: "upc") { upc: ID! reviews: [Review!]! }
    type Review @key(fields: "id") {
      id: ID! body: String! rating: Int! author: User! product: Product! endorsedBy: User!
    }
  `,
  products: `${LINK}
    type Query { product(upc: ID!): Product }
    type Product @key(fields: "upc") { upc: ID! name: String! price: Int! weight: Int! }
  `,
};

const EVENTS = `
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@key"])
    @link(url: "https://sojourn.example/eventSource/v1.0", import: ["@eventSource"])
    @composeDirective(name: "@eventSource")
  directive @eventSource(subject: String!, start: eventSource__Start! = LIVE, guard: String,
    principal: eventSource__Principal) on FIELD_DEFINITION
  enum eventSource__Start { BEGINNING LATEST LIVE }
  enum eventSource__Principal { TRAVELER MERCHANT PARTNER OPERATOR }
  type Subscription { priceChanged(upc: ID!): PriceChange! @eventSource(subject: "price.{upc}") }
  type PriceChange { cursor: String! sequence: Int! product: Product! }
  type Product @key(fields: "upc", resolvable: false) { upc: ID! }
`;

/** What each subgraph may be asked: a fetch that is not valid there is the gateway's mistake and must show. */
export function subgraphSchemas(): Readonly<Record<CannedName, GraphQLSchema>> {
  const build = (name: CannedName) => buildSubgraphSchema([{ typeDefs: parse(typeDefs[name]) }]);
  return { users: build('users'), reviews: build('reviews'), products: build('products') };
}

/**
 * The supergraph for subgraphs at these addresses.
 * @param streams with the virtual subgraph of events, which only our gateway understands
 */
export function cannedSupergraph(urls: Readonly<Record<CannedName, string>>, streams = false): string {
  const served = SUBGRAPHS.map((name) => ({ name, url: urls[name], typeDefs: parse(typeDefs[name]) }));
  const events = { name: 'events', url: 'http://events.invalid/graphql', typeDefs: parse(EVENTS) };
  return composeSupergraph(streams ? [...served, events] : served);
}
