import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, execute, type GraphQLSchema, parse, printSchema, validate } from 'graphql';
import { Registry } from 'prom-client';
import { request as send } from 'undici';
import type { Authenticator } from '../../../gateway/authentication.js';
import type { SubgraphAnswer, SubgraphRequest } from '../../../gateway/fetch.transport.js';
import { createGateway, type Gateway, type GatewayOptions } from '../../../gateway/gateway.js';
import { loadSupergraph } from '../../../gateway/supergraph.js';
import { composeSupergraph } from '../../../schema/compose.js';
import type { EventBus } from '../../../subgraphs/kernel/event/event-bus.js';
import { Principal } from '../../../subgraphs/kernel/principal.js';
import {
  newSigningKey,
  PRINCIPAL_HEADER,
  PrincipalSigner,
  PrincipalVerifier,
} from '../../../subgraphs/kernel/principal.token.js';
import { silent } from '../../support/logger.js';
import type { Answer, Resolvers } from './monolith.js';

// The only file here that knows how the engine under test is built and asked.

/** What a subgraph is made of. The federation directives need no `@link`: it is added. */
export interface SubgraphModule {
  readonly sdl: string;
  readonly resolvers: Resolvers;
}

/** One fetch as a subgraph received it. */
export interface Fetch {
  readonly subgraph: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export type Way = 'in process' | 'over HTTP';
export const ways: readonly Way[] = ['in process', 'over HTTP'];

export interface Composed {
  readonly supergraph: string;
  /** What clients see, as SDL. */
  readonly api: string;
  readonly schemas: ReadonlyMap<string, GraphQLSchema>;
}

export interface Federation {
  readonly gateway: Gateway;
  readonly url: string;
  /** All that the subgraphs received, in the order of arrival; whoever counts empties it first. */
  readonly fetches: Fetch[];
  run(
    query: string,
    variables?: Readonly<Record<string, unknown>>,
    operationName?: string,
    /** Who asks; resolvers find it in their context. */
    asker?: string,
  ): Promise<Answer>;
  /** Over HTTP: a subgraph goes, with all its connections, and comes back at the same address. */
  stop(subgraph: string): Promise<void>;
  start(subgraph: string): Promise<void>;
  close(): Promise<void>;
}

export interface FederationOptions extends Partial<GatewayOptions> {
  /** Stands before every subgraph that is reached over HTTP, and may misbehave. */
  readonly door?: (subgraph: string, answer: RequestListener) => RequestListener;
  /** Changes what a subgraph answers, to something that it should not. */
  readonly spoil?: (subgraph: string, answer: SubgraphAnswer) => SubgraphAnswer;
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@requires", "@provides", "@external", "@shareable", "@override", "@inaccessible", "@interfaceObject", "@tag",
  "@composeDirective", "@authenticated", "@requiresScopes", "@context", "@fromContext",
])\n`;

// As much as a test asks for: limits are the subject of other tests.
const UNLIMITED = {
  tokens: 1_000_000,
  depth: 10_000,
  aliases: 100_000,
  fields: 1_000_000,
  rootFields: 10_000,
  directives: 100_000,
  directivesPerField: 1_000,
};
const STRANGER = { principal: Principal.anonymous(), expiresAt: null };
const keys = newSigningKey();
const signer = new PrincipalSigner('gateway', keys.privateKey);
const verifier = new PrincipalVerifier({ gateway: keys.publicKey });

/** What resolvers get as their context. */
export interface AskedContext {
  readonly asker: string;
}

const byName: Authenticator = {
  authenticate: async (name) => {
    if (!name) return STRANGER;
    const claims = { kind: 'PARTNER', subject: name, scopes: [], merchantIds: [] } as const;
    return { principal: new Principal(claims), expiresAt: null };
  },
};

/** Nothing is ever published: no test here subscribes. */
const quietBus: EventBus = {
  publish: async () => undefined,
  subscribe: () => Promise.reject(new Error('nothing is published here')),
  past: () => Promise.reject(new Error('nothing is published here')),
  follow: () => Promise.reject(new Error('nothing is published here')),
  consume: async () => ({ stop: async () => undefined }),
  ready: async () => undefined,
  close: async () => undefined,
};

/** @throws CompositionError, or what graphql-js says of a module that is no schema */
export function compose(modules: Readonly<Record<string, SubgraphModule>>): Composed {
  const parsed = Object.entries(modules).map(([name, { sdl, resolvers }]) => {
    const typeDefs = parse(LINK + sdl);
    return { name, typeDefs, resolvers: resolvers as never, url: `http://${name}.invalid/graphql` };
  });
  const supergraph = composeSupergraph(parsed);
  const schemas = parsed.map(({ name, typeDefs, resolvers }) => {
    return [name, buildSubgraphSchema([{ typeDefs, resolvers }])] as const;
  });
  return { supergraph, api: printSchema(loadSupergraph(supergraph).api), schemas: new Map(schemas) };
}

/** Starts a gateway before these subgraphs. */
export async function federate(composed: Composed, way: Way, options: FederationOptions = {}): Promise<Federation> {
  const { door = (_name, answer) => answer, spoil = (_name, answer) => answer, ...gatewayOptions } = options;
  const fetches: Fetch[] = [];
  const transports = Object.fromEntries(
    [...composed.schemas].map(([name, schema]) => [name, served(name, schema, fetches, spoil)]),
  );
  const servers = way === 'in process' ? [] : Object.entries(transports);
  const listening = new Map(
    await Promise.all(
      servers.map(async ([name, ask]) => [name, await Listener.start(door(name, overHttp(ask)))] as const),
    ),
  );
  const gateway = await createGateway({
    supergraph: composed.supergraph,
    ...(way === 'in process' && { subgraphs: transports }),
    urls: Object.fromEntries([...listening].map(([name, { url }]) => [name, `${url}/graphql`])),
    bus: quietBus,
    signer,
    authenticator: byName,
    logger: silent,
    metrics: new Registry(),
    development: true,
    admission: { limits: UNLIMITED, cost: null, rate: null, addressRate: null },
    ...gatewayOptions,
  });
  const front = await Listener.start((request, response) => void gateway.answer(request, response));
  front.server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  return {
    gateway,
    url: front.url,
    fetches,
    run: (query, variables, operationName, asker) => ask(front.url, { query, variables, operationName }, asker),
    stop: async (subgraph) => listening.get(subgraph)?.stop(),
    start: async (subgraph) => listening.get(subgraph)?.restart(),
    close: async () => {
      await gateway.close();
      await Promise.all([front, ...listening.values()].map((listener) => listener.stop()));
    },
  };
}

/** A subgraph as any server of GraphQL would answer: it validates each fetch, so a fetch that is no GraphQL shows. */
function served(
  name: string,
  schema: GraphQLSchema,
  fetches: Fetch[],
  spoil: NonNullable<FederationOptions['spoil']>,
): Answering {
  const documents = new Map<string, DocumentNode>();
  const documentOf = ({ query }: Parameters<Answering>[0]): DocumentNode => {
    const known = documents.get(query) ?? parse(query);
    if (!documents.has(query)) {
      const [problem] = validate(schema, known);
      if (problem) throw new Error(`${name} was sent what is not valid: ${problem.message}\n${query}`);
      documents.set(query, known);
    }
    return known;
  };
  return async (request): Promise<SubgraphAnswer> => {
    const variables = request.variables ?? {};
    // A copy: whoever deduplicates or rewrites in place later must not change what was received.
    fetches.push({ subgraph: name, query: request.query, variables: structuredClone(variables) });
    const document = documentOf(request);
    const { subject } = await verifier.verify(request.headers[PRINCIPAL_HEADER]);
    const contextValue: AskedContext = { asker: subject };
    const { data, errors } = await execute({ schema, document, variableValues: variables, contextValue });
    return spoil(name, {
      ...(data !== undefined && { data: data as SubgraphAnswer['data'] }),
      ...(errors && { errors: errors.map((error) => error.toJSON()) }),
    });
  };
}

/** A transport that looks at nothing but these. */
type Answering = (request: Pick<SubgraphRequest, 'query' | 'variables' | 'headers'>) => Promise<SubgraphAnswer>;

function overHttp(answer: Answering): RequestListener {
  return async (request, response) => {
    try {
      const { query, variables = {} } = JSON.parse(await textOf(request));
      const headers = { [PRINCIPAL_HEADER]: String(request.headers[PRINCIPAL_HEADER]) };
      const body = JSON.stringify(await answer({ query, variables, headers }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    } catch (thrown) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(thrown));
    }
  };
}

async function ask(url: string, operation: object, asker?: string): Promise<Answer> {
  const { body } = await send(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...(asker && { authorization: asker }) },
    body: JSON.stringify(operation),
  });
  return (await body.json()) as Answer;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** A server on a port of its own, which it gets back when it starts again. */
class Listener {
  private constructor(
    private readonly answer: RequestListener,
    public server: Server,
    readonly port: number,
  ) {}

  static async start(answer: RequestListener): Promise<Listener> {
    const server = await listen(answer, 0);
    return new Listener(answer, server, (server.address() as AddressInfo).port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  async restart(): Promise<void> {
    this.server = await listen(this.answer, this.port);
  }
}

async function listen(answer: RequestListener, port: number): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
