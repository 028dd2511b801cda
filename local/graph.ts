import { readFile } from 'node:fs/promises';
import { createLocalJWKSet } from 'jose';
import type { Registry } from 'prom-client';
import { jwtAuthenticator } from '../gateway/authentication.js';
import { readPlanning } from '../gateway/configuration.js';
import { createGateway, type Gateway } from '../gateway/gateway.js';
import { createFx } from '../subgraphs/fx/subgraph.js';
import { databaseUrl, type Environment, type SubgraphName } from '../subgraphs/kernel/configuration.js';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import { openEventBus } from '../subgraphs/kernel/event/open-event-bus.js';
import { inProcess, type Route, type Subgraph } from '../subgraphs/kernel/graphql/subgraph.js';
import { answerRoute, send } from '../subgraphs/kernel/graphql/subgraph.server.js';
import { PrincipalSigner, PrincipalVerifier } from '../subgraphs/kernel/principal.token.js';
import { createLogger, createMetrics } from '../subgraphs/kernel/telemetry.js';
import { merchantsConfiguration } from '../subgraphs/merchants/merchants.configuration.js';
import { connectOutside as connectMerchants } from '../subgraphs/merchants/outside.js';
import { createMerchants } from '../subgraphs/merchants/subgraph.js';
import { connectOutside as connectPayments } from '../subgraphs/payments/outside.js';
import { createPayments } from '../subgraphs/payments/subgraph.js';
import { createUsers } from '../subgraphs/users/subgraph.js';
import type { Answering } from './front.js';
import type { Secrets } from './secrets.js';
import { seed } from './seed.js';
import { AUDIENCE, type DevelopmentIssuer } from './tokens.js';

export interface GraphOptions {
  /** What services of their own would find in their environment: databases, accounts, keys. */
  readonly environment: Environment;
  readonly secrets: Secrets;
  readonly issuer: DevelopmentIssuer;
  /** The supergraph file. */
  readonly supergraph: string;
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
    const [bus, supergraph] = await Promise.all([opening, readFile(options.supergraph, 'utf8')]);
    stack.defer(() => bus.close());
    const metrics = createMetrics();
    const { users, merchants, fx, payments } = await createSubgraphs(options, bus, metrics, stack);
    const subgraphs = [users, merchants, fx, payments];
    // The gateway is built while the databases answer.
    const opened = openGateway(options, bus, supergraph, subgraphs, metrics);
    // Also where the databases fail meanwhile.
    stack.defer(() =>
      opened.then(
        (gateway) => gateway.close(),
        () => undefined,
      ),
    );
    const [gateway] = await Promise.all([
      opened,
      Promise.all(subgraphs.map((subgraph) => subgraph.migrate()))
        .then(() => seed(users.services, merchants.services))
        .then(() => Promise.all(subgraphs.map((subgraph) => subgraph.start()))),
    ]);
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

async function createSubgraphs(
  { environment, secrets }: GraphOptions,
  bus: EventBus,
  metrics: Registry,
  stack: AsyncDisposableStack,
) {
  const { gateway, payments: paymentsKey } = secrets.internal;
  const verifier = new PrincipalVerifier({ gateway: gateway.publicKey, payments: paymentsKey.publicKey });
  const common = (name: SubgraphName) => ({
    databaseUrl: databaseUrl(name, environment),
    logger: createLogger(name),
    verifier,
    bus,
  });
  const outside = connectMerchants(merchantsConfiguration(environment));
  stack.defer(() => outside.close());
  const [users, merchants, fx] = await Promise.all([
    createUsers({ ...common('users'), personalDataKey: secrets.personalDataKey }),
    createMerchants({ ...common('merchants'), outside }),
    createFx({ ...common('fx'), source: 'simulated' }),
  ]);
  for (const subgraph of [users, merchants, fx]) stack.defer(() => subgraph.close());
  const payments = await createPayments({
    ...common('payments'),
    signer: new PrincipalSigner('payments', paymentsKey.privateKey),
    others: { users: inProcess(users), merchants: inProcess(merchants), fx: inProcess(fx) },
    outside: connectPayments(environment),
    metrics,
  });
  // Last in, first out: payments ends before those whom it asks.
  stack.defer(() => payments.close());
  return { users, merchants, fx, payments };
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
