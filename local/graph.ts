import { readFile } from 'node:fs/promises';
import { createLocalJWKSet } from 'jose';
import type { PgBoss } from 'pg-boss';
import type { Registry } from 'prom-client';
import { jwtAuthenticator } from '../gateway/authentication.js';
import { readPlanning } from '../gateway/configuration.js';
import { createGateway, type Gateway } from '../gateway/gateway.js';
import type { Environment } from '../subgraphs/kernel/configuration.js';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import { openEventBus } from '../subgraphs/kernel/event/open-event-bus.js';
import { inProcess, type Route, type Subgraph } from '../subgraphs/kernel/graphql/subgraph.js';
import { answerRoute, send } from '../subgraphs/kernel/graphql/subgraph.server.js';
import { PrincipalSigner } from '../subgraphs/kernel/principal.token.js';
import { createLogger, createMetrics } from '../subgraphs/kernel/telemetry.js';
import { onceOpen } from './bus.js';
import type { Answering } from './front.js';
import type { Secrets } from './secrets.js';
import { createSubgraphs } from './subgraphs.js';
import { AUDIENCE, type DevelopmentIssuer } from './tokens.js';

export interface GraphOptions {
  /** What services of their own would find in their environment: databases, accounts, keys. */
  readonly environment: Environment;
  readonly secrets: Secrets;
  readonly issuer: DevelopmentIssuer;
  /** The supergraph file. */
  readonly supergraph: string;
  /** Settles when the outside systems answer: nothing is asked of them before. */
  readonly outside: Promise<unknown>;
  /** The queue of payments, which may be starting already. */
  readonly jobs: PgBoss;
}

/** Four subgraphs and the gateway in this process, seeded and at work. */
export class Graph {
  private constructor(
    private readonly gateway: Gateway,
    /** What the subgraphs answer beside GraphQL: notifications of the outside systems. */
    private readonly routes: readonly Route[],
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async start(options: GraphOptions): Promise<Graph> {
    await using stack = new AsyncDisposableStack();
    const { environment } = options;
    const opening = openEventBus(environment, createLogger('bus'));
    // Who waits for it is told why it was not opened; until then nobody does.
    opening.catch(ignore);
    stack.defer(() => opening.then((bus) => bus.close(), ignore));
    const supergraph = await readFile(options.supergraph, 'utf8');
    const bus = onceOpen(opening);
    const metrics = createMetrics();
    const { users, merchants, fx, payments, lookedAfter } = await createSubgraphs(options, bus, metrics, stack);
    const subgraphs = [users, merchants, fx, payments];
    // The gateway is built while the databases answer.
    const opened = openGateway(options, bus, supergraph, subgraphs, metrics);
    // Also where the databases fail meanwhile.
    stack.defer(() => opened.then((gateway) => gateway.close(), ignore));
    const starting = Promise.all([opening, lookedAfter, options.outside]).then(() =>
      Promise.all([users, merchants, payments].map((each) => each.start())),
    );
    const [gateway] = await Promise.all([opened, starting]);
    // Last: its feed begins with the rates of all pairs, and the others would wait for that.
    await fx.start();
    return new Graph(
      gateway,
      subgraphs.flatMap((subgraph) => subgraph.routes),
      stack.move(),
    );
  }

  /** The gateway, with the routes of the subgraphs and those of `more` beside it. */
  answering(more: readonly Route[]): Answering {
    const { gateway } = this;
    const routes = [...this.routes, ...more];
    return {
      answer: async (request, response) => {
        const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname;
        const route = routes.find((candidate) => candidate.path === path && candidate.method === request.method);
        if (!route) return gateway.answer(request, response);
        send(response, await answerRoute(route, request).catch(() => ({ status: 500 })));
      },
      upgrade: (request, socket, head) => gateway.upgrade(request, socket, head),
      drain: () => gateway.drain(),
    };
  }

  /** To be asked once no request comes any more: the saga finishes its step, then all connections end. */
  async close(): Promise<void> {
    await this.stack.disposeAsync();
  }
}

function openGateway(
  { environment, secrets, issuer }: GraphOptions,
  bus: EventBus,
  supergraph: string,
  subgraphs: readonly Subgraph[],
  metrics: Registry,
): Promise<Gateway> {
  return createGateway({
    supergraph,
    subgraphs: Object.fromEntries(subgraphs.map((subgraph) => [subgraph.name, inProcess(subgraph)])),
    bus,
    signer: new PrincipalSigner('gateway', secrets.internal.gateway.privateKey),
    authenticator: jwtAuthenticator({
      keys: createLocalJWKSet(issuer.jwks()),
      issuer: issuer.issuer,
      audience: AUDIENCE,
    }),
    logger: createLogger('gateway'),
    metrics,
    planning: readPlanning(environment),
    development: true,
  });
}

/** For what is told elsewhere. */
function ignore(): void {}
