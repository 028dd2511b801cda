import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { createLocalJWKSet } from 'jose';
import type { PgBoss } from 'pg-boss';
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
import { createPayments, type PaymentsOptions } from '../subgraphs/payments/subgraph.js';
import { createUsers } from '../subgraphs/users/subgraph.js';
import { onceOpen } from './bus.js';
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

/**
 * Wires one after the other; the database of one is looked after while the next one is wired. Payments first, which has
 * most to look after.
 */
async function createSubgraphs(
  { environment, secrets, jobs }: GraphOptions,
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
  const databases: Promise<void>[] = [];
  const lookAfter = async (database: Promise<void>): Promise<void> => {
    // Somebody waits for it, but not yet.
    database.catch(ignore);
    databases.push(database);
    // What a database says has its turn in between.
    await turn();
  };
  // Last in, first out: those whom payments asks end after it.
  const asked = stack.use(new AsyncDisposableStack());
  const wired = async <Wired extends Subgraph>(creating: Promise<Wired>): Promise<[Wired, Promise<void>]> => {
    const subgraph = await creating;
    asked.defer(() => subgraph.close());
    const migrating = subgraph.migrate();
    await lookAfter(migrating);
    return [subgraph, migrating];
  };
  // They are there before payments asks anything of them.
  const others = Promise.withResolvers<PaymentsOptions['others']>();
  const payments = await createPayments({
    ...common('payments'),
    signer: new PrincipalSigner('payments', paymentsKey.privateKey),
    others: {
      users: async (request) => (await others.promise).users(request),
      merchants: async (request) => (await others.promise).merchants(request),
      fx: async (request) => (await others.promise).fx(request),
    },
    outside: connectPayments(environment),
    jobs,
    metrics,
  });
  stack.defer(() => payments.close());
  await lookAfter(payments.migrate().then(() => payments.connect()));
  const [users, usersMigrating] = await wired(
    createUsers({ ...common('users'), personalDataKey: secrets.personalDataKey }),
  );
  const outside = connectMerchants(merchantsConfiguration(environment));
  asked.defer(() => outside.close());
  const [merchants, merchantsMigrating] = await wired(createMerchants({ ...common('merchants'), outside }));
  await lookAfter(
    Promise.all([usersMigrating, merchantsMigrating]).then(() => seed(users.services, merchants.services)),
  );
  const [fx] = await wired(createFx({ ...common('fx'), source: 'simulated' }));
  others.resolve({ users: inProcess(users), merchants: inProcess(merchants), fx: inProcess(fx) });
  return { users, merchants, fx, payments, lookedAfter: Promise.all(databases) };
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
