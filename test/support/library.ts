import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';
import { composeSupergraph } from '../../schema/compose.js';

// A graph of books and their authors: for tests of what a gateway does with any graph.

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])\n`;

const TYPES = {
  books: `${LINK}
    type Query { books: [Book!]! book(id: ID!): Book }
    type Book @key(fields: "id") { id: ID! title: String! author: Author! }
    type Author @key(fields: "id", resolvable: false) { id: ID! }
  `,
  authors: `${LINK}
    type Query { author(id: ID!): Author }
    type Mutation { rename(id: ID!, name: String!): Author }
    type Author @key(fields: "id") { id: ID! name: String! }
  `,
  events: `
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@composeDirective", "@key"])
      @link(url: "https://sojourn.example/eventSource/v1.0", import: ["@eventSource"])
      @composeDirective(name: "@eventSource")
    directive @eventSource(subject: String!, start: eventSource__Start! = LIVE, guard: String,
      principal: eventSource__Principal) on FIELD_DEFINITION
    enum eventSource__Start { BEGINNING LATEST LIVE }
    enum eventSource__Principal { TRAVELER MERCHANT PARTNER OPERATOR }
    type Subscription { bookChanged(id: ID!): Book! @eventSource(subject: "book.{id}") }
    type Book @key(fields: "id", resolvable: false) { id: ID! }
  `,
};

export type Part = 'books' | 'authors';

const BOOKS = [
  { id: 'b1', title: 'A Wizard of Earthsea', author: { __typename: 'Author', id: 'a1' } },
  { id: 'b2', title: 'The Dispossessed', author: { __typename: 'Author', id: 'a1' } },
];

const RESOLVERS: Record<Part, () => object> = {
  books: () => {
    const book = (id: string) => BOOKS.find((candidate) => candidate.id === id) ?? null;
    return {
      Query: { books: () => BOOKS, book: (_: unknown, { id }: { id: string }) => book(id) },
      Book: { __resolveReference: ({ id }: { id: string }) => book(id) },
    };
  },
  authors: () => {
    const names = new Map([['a1', 'Ursula K. Le Guin']]);
    const author = (id: string) => (names.has(id) ? { id, name: names.get(id) } : null);
    return {
      Query: { author: (_: unknown, { id }: { id: string }) => author(id) },
      Mutation: {
        rename: (_: unknown, { id, name }: { id: string; name: string }) => {
          names.set(id, name);
          return author(id);
        },
      },
      Author: { __resolveReference: ({ id }: { id: string }) => author(id) },
    };
  },
};

export interface Received {
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** One subgraph as a server of its own, and all that was asked of it. */
export class LibraryPart {
  readonly received: Received[] = [];
  /** Connections that were ever opened to it. */
  connections = 0;
  /** While it is there, requests wait for it before they are looked at. */
  held: Promise<void> | null = null;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(name: Part): Promise<LibraryPart> {
    const schema = buildSubgraphSchema([{ typeDefs: parse(TYPES[name]), resolvers: RESOLVERS[name]() as never }]);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const part = new LibraryPart(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
    server.on('connection', () => {
      part.connections += 1;
    });
    server.on('request', async (request, response) => {
      // A server that knows GraphQL and nothing else.
      if (request.method !== 'POST' || request.url !== '/graphql') return void response.writeHead(404).end();
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      part.received.push({ query, headers: request.headers });
      await part.held;
      const answer = await execute({ schema, document: parse(query), variableValues: variables, operationName });
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    return part;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export interface SupergraphOptions {
  /** A supergraph that differs: with a field that is called otherwise. Nothing serves it. */
  readonly titleIsCalled?: string;
  /** With a subscription to changes of books. */
  readonly events?: boolean;
}

/** A supergraph by which half of all are given the titles of books by those who know the authors. Nothing serves it. */
export function movingSupergraph(url: string): string {
  const moved =
    'type Book @key(fields: "id") { id: ID! title: String! @override(from: "books", label: "percent(50)") }';
  const authors = TYPES.authors.replace('"@shareable"', '"@override"') + moved;
  return composeSupergraph(
    Object.entries({ ...TYPES, authors }).map(([name, sdl]) => ({ name, url, typeDefs: parse(sdl) })),
  );
}

/** The supergraph of a library whose parts are at these places. */
export function librarySupergraph(urls: Readonly<Record<Part, string>>, options: SupergraphOptions = {}): string {
  const { titleIsCalled = 'title', events = false } = options;
  const typesOf = (part: keyof typeof TYPES) => parse(TYPES[part].replace('title:', `${titleIsCalled}:`));
  return composeSupergraph([
    { name: 'books', url: urls.books, typeDefs: typesOf('books') },
    { name: 'authors', url: urls.authors, typeDefs: typesOf('authors') },
    ...(events ? [{ name: 'events', url: 'http://events.invalid', typeDefs: typesOf('events') }] : []),
  ]);
}
