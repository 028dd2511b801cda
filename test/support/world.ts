import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { simulatorOptions } from '../../connectors/paypal/simulator/simulator.configuration.js';
import { startSimulator as startPaypal } from '../../connectors/paypal/simulator/simulator.js';
import { readSettings, type Store } from '../../connectors/wechat-pay/simulator/settings.js';
import { startSimulator as startWechatPay } from '../../connectors/wechat-pay/simulator/simulator.js';
import { wechatPayConfiguration, wechatPayVariables } from '../../connectors/wechat-pay/wechat-pay.configuration.js';
import {
  paypalSimulatorEnvironment,
  serviceEnvironment,
  wechatPaySimulatorEnvironment,
} from '../../local/environment.js';
import { newSecrets } from '../../local/secrets.js';
import { daniel, maya, partner } from '../../local/seed.identities.js';
import { seed } from '../../local/seed.js';
import { type Scenario, stores } from '../../local/seed.stores.js';
import { createFx, type FxSubgraph } from '../../subgraphs/fx/subgraph.js';
import { type Clock, systemClock } from '../../subgraphs/kernel/clock.js';
import type { Environment } from '../../subgraphs/kernel/configuration.js';
import type { EventBus } from '../../subgraphs/kernel/event/event-bus.js';
import {
  type Headers,
  inProcess,
  type Subgraph,
  type SubgraphTransport,
} from '../../subgraphs/kernel/graphql/subgraph.js';
import { answerRoute, send } from '../../subgraphs/kernel/graphql/subgraph.server.js';
import type { MerchantId, PaymentId } from '../../subgraphs/kernel/id.js';
import type { Principal } from '../../subgraphs/kernel/principal.js';
import { connectOutside as connectMerchants } from '../../subgraphs/merchants/outside.js';
import { createMerchants, type MerchantsSubgraph } from '../../subgraphs/merchants/subgraph.js';
import { connectOutside, type Outside } from '../../subgraphs/payments/outside.js';
import { createPayments, type PaymentsSubgraph } from '../../subgraphs/payments/subgraph.js';
import { createUsers, type UsersSubgraph } from '../../subgraphs/users/subgraph.js';
import { type Ask, asker, asking, paymentsSigner, verifier } from './ask.js';
import { freshBus, migratedDatabases } from './database.migrated.js';
import { FaultProxy } from './fault.proxy.js';
import { silent } from './logger.js';

export interface WorldOptions {
  readonly now?: Clock;
  /** The clock of everybody else, the other subgraphs and the outside world; the machine's unless said. */
  readonly elsewhere?: Clock;
  /** What the simulators find in their environment beside what they must. */
  readonly simulators?: Environment;
  /** How long the outside world may take to answer. */
  readonly deadlineMs?: number;
  /** Puts something between payments and the clients of the outside world. */
  readonly outside?: (real: Outside) => Outside;
  /** Sees each SQL statement of payments. */
  readonly onStatement?: (sql: string) => void;
  /** How many connections payments has for requests, and as many for its workers. */
  readonly poolSize?: number;
}

export interface Money {
  readonly amount: string;
  readonly currencyCode: string;
}

/** All of Sojourn but the gateway, with its databases, and the outside world over real HTTP behind faulty lines. */
export class World {
  private constructor(
    readonly users: UsersSubgraph,
    readonly merchants: MerchantsSubgraph,
    readonly fx: FxSubgraph,
    readonly bus: EventBus,
    readonly lines: { readonly paypal: FaultProxy; readonly wechatPay: FaultProxy; readonly notifications: string },
    /** What each of the other subgraphs is asked through; a test may cut it. */
    readonly others: Record<'users' | 'merchants' | 'fx', SubgraphTransport>,
    /** Of payments, for those who look at it, or work on it, beside. */
    readonly databaseUrl: string,
    private readonly wiring: {
      newPayments(): Promise<PaymentsSubgraph>;
      stop(): Promise<void>;
      readonly routes: Subgraph[];
      readonly plays: Plays;
      readonly ears: { areOpen: boolean };
    },
    private current: PaymentsSubgraph,
  ) {}

  get payments(): PaymentsSubgraph {
    return this.current;
  }

  /** Asks payments as somebody. */
  get ask(): Ask {
    return asking(this.current);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const { now = systemClock, elsewhere = systemClock, simulators = {}, deadlineMs = 1_500 } = options;
    const folder = await mkdtemp(join(tmpdir(), 'sojourn-world-'));
    const secrets = await newSecrets();
    const routes: Subgraph[] = [];
    const ears = { areOpen: true };
    const front = await serveRoutes(routes, ears);
    const notifications = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const paypalOptions = simulatorOptions({
      ...paypalSimulatorEnvironment(secrets, notifications),
      BOOKS_DIR: join(folder, 'paypal'),
      ...simulators,
    });
    const wechatPayOptions = readSettings({
      ...wechatPaySimulatorEnvironment(secrets),
      BOOKS_DIR: join(folder, 'wechat-pay'),
      WECHAT_PAY_SLOW_MS: '1200',
      ...simulators,
    });
    // Read by the simulators whenever something begins there.
    const plays: Plays = { wallet: { ...paypalOptions.scenarios }, network: [...wechatPayOptions.stores] };
    const paypal = await startPaypal({ ...paypalOptions, scenarios: plays.wallet, now: elsewhere });
    const wechatPay = await startWechatPay({ ...wechatPayOptions, stores: plays.network }, elsewhere);
    const lines = {
      paypal: await FaultProxy.start(() => paypal.url),
      wechatPay: await FaultProxy.start(() => wechatPay.url),
      notifications,
    };
    const environment = {
      ...serviceEnvironment(secrets, { notifications, paypal: lines.paypal.url, wechatPay: lines.wechatPay.url }, {}),
      PAYPAL_CERTIFICATE_HOSTS: `${lines.paypal.url},${paypal.url}`,
      PAYPAL_DEADLINE_MS: String(deadlineMs),
      WECHAT_PAY_DEADLINE_MS: String(deadlineMs),
    };
    const place = { verifier, logger: silent, now: elsewhere };
    const [bus, databases] = await Promise.all([freshBus(), migratedDatabases()]);
    const users = await createUsers({
      ...place,
      databaseUrl: databases.users,
      personalDataKey: secrets.personalDataKey,
    });
    const wechatPaySettings = wechatPayConfiguration(z.object(wechatPayVariables).parse(environment), elsewhere);
    const merchantsOutside = connectMerchants({ wechatPay: wechatPaySettings, notificationBaseUrl: notifications });
    const merchants = await createMerchants({
      ...place,
      databaseUrl: databases.merchants,
      bus,
      outside: merchantsOutside,
    });
    const fx = await createFx({ ...place, databaseUrl: databases.fx, bus, source: 'simulated' });
    await Promise.all([users, merchants, fx].map((subgraph) => subgraph.migrate()));
    await seed(users.services, merchants.services);
    await Promise.all([users, merchants, fx].map((subgraph) => subgraph.start()));
    const others = { users: inProcess(users), merchants: inProcess(merchants), fx: inProcess(fx) };

    const newPayments = async (): Promise<PaymentsSubgraph> => {
      const payments = await createPayments({
        ...place,
        databaseUrl: databases.payments,
        signer: paymentsSigner,
        others: {
          users: (request) => others.users(request),
          merchants: (request) => others.merchants(request),
          fx: (request) => others.fx(request),
        },
        outside: (options.outside ?? ((real) => real))(connectOutside(environment, elsewhere)),
        bus,
        now,
        onStatement: options.onStatement,
        poolSize: options.poolSize,
      });
      await payments.migrate();
      await payments.start();
      routes.splice(0, routes.length, payments, merchants);
      return payments;
    };
    const stop = async (): Promise<void> => {
      await Promise.all([users, merchants, fx].map((subgraph) => subgraph.close()));
      await merchantsOutside.close();
      await bus.close();
      front.close();
      front.closeAllConnections();
      await Promise.all([lines.paypal.stop(), lines.wechatPay.stop(), paypal.close(), wechatPay.stop()]);
      await rm(folder, { recursive: true, force: true });
    };
    const wiring = { newPayments, stop, routes, plays, ears };
    return new World(users, merchants, fx, bus, lines, others, databases.payments, wiring, await newPayments());
  }

  async stop(): Promise<void> {
    await this.current.close();
    await this.wiring.stop();
  }

  /** Stops payments and starts it again on the same database, as after a deployment. */
  async restartPayments(): Promise<void> {
    await this.current.close();
    this.current = await this.wiring.newPayments();
  }

  readonly maya = { ...maya, principal: asker.traveler(maya.id) };
  readonly daniel = { ...daniel, principal: asker.traveler(daniel.id) };
  readonly partner = { ...partner, principal: asker.partner(partner.id) };
  readonly operator = asker.operator();

  /** What the wallet and the network play for what begins at a store from now on; each its own scenario unless said. */
  play(at: Scenario, { wallet = at as string, network = at as string } = {}): void {
    const { merchantId, networkMerchantId } = this.store(at);
    const { plays } = this.wiring;
    plays.wallet[merchantId] = wallet;
    const index = plays.network.findIndex((store) => store.merchantId === networkMerchantId);
    const store = plays.network[index];
    if (store) plays.network[index] = { ...store, scenario: network };
  }

  /** Whether we hear notifications; who sends them tries again later. */
  listen(areOpen: boolean): void {
    this.wiring.ears.areOpen = areOpen;
  }

  store(scenario: Scenario) {
    const store = stores.find((candidate) => candidate.scenario === scenario);
    if (!store) throw new Error(`no store plays ${scenario}`);
    return { ...store, principal: asker.member(store.merchantId) };
  }

  /** Scans a store's code and starts a checkout. @returns its id and total */
  async checkout(scenario: Scenario, yuan = '100.00', key = randomUUID()) {
    const input = {
      code: this.store(scenario).payload,
      amount: { amount: yuan, currencyCode: 'CNY' },
      walletId: this.maya.walletId,
      idempotencyKey: key,
    };
    const { data, errors } = await patiently(() => this.ask(this.maya.principal, START, { input }));
    if (errors) throw new Error(JSON.stringify(errors));
    return (data as { startCheckout: { checkout: { id: string; status: string; total: Money } } }).startCheckout
      .checkout;
  }

  confirm(
    checkoutId: string,
    key: string = randomUUID(),
    principal: Principal = this.maya.principal,
    headers: Headers = {},
  ) {
    return this.ask(principal, CONFIRM, { input: { checkoutId, idempotencyKey: key } }, headers);
  }

  /** Scans and confirms. @returns the id of the payment, at work */
  async pay(scenario: Scenario, yuan = '100.00'): Promise<PaymentId> {
    const { id } = await this.checkout(scenario, yuan);
    const key = randomUUID();
    const { data, errors } = await patiently(() => this.confirm(id, key));
    if (errors) throw new Error(JSON.stringify(errors));
    return (data as { confirmCheckout: { payment: { id: PaymentId } } }).confirmCheckout.payment.id;
  }

  refund(
    paymentId: PaymentId,
    yuan: string | null,
    merchantId: MerchantId,
    key: string = randomUUID(),
    reason = 'Returned',
  ) {
    const amount = yuan === null ? null : { amount: yuan, currencyCode: 'CNY' };
    return this.ask(asker.member(merchantId), REFUND, { input: { paymentId, amount, reason, idempotencyKey: key } });
  }

  /** The status of a payment once nothing is under way any more. */
  async settled(paymentId: PaymentId, withinMs = 45_000): Promise<string> {
    return this.eventually(withinMs, async () => {
      const [row] = await this.payments.em.fork().execute<{ status: string; busy: boolean }[]>(
        `select status, exists (select 1 from refund where payment_id = payment.id and status = 'PROCESSING') as busy
           from payment where id = ?`,
        [paymentId],
      );
      const isOver = row && !['PROCESSING', 'PAID'].includes(row.status) && !row.busy;
      return isOver ? row.status : null;
    });
  }

  /** Asks again until there is an answer. */
  async eventually<T>(withinMs: number, look: () => Promise<T | null>): Promise<T> {
    // Ever more rarely: many who look at once would take the time of what they wait for.
    for (let [pauseMs, deadline] = [20, Date.now() + withinMs]; ; pauseMs = Math.min(pauseMs * 1.5, 200)) {
      const found = await look();
      if (found !== null) return found;
      if (Date.now() > deadline) throw new Error('it did not happen in time');
      await delay(pauseMs);
    }
  }

  async books(side: 'paypal' | 'wechatPay'): Promise<Record<string, BookEntry[]>> {
    const answer = await fetch(`${this.lines[side].url}/books`);
    return (await answer.json()) as Record<string, BookEntry[]>;
  }
}

export interface BookEntry {
  readonly id: string;
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly status: string;
}

const START = `mutation ($input: StartCheckoutInput!) {
  startCheckout(input: $input) { checkout { id status total { amount currencyCode } } } }`;
const CONFIRM = `mutation ($input: ConfirmCheckoutInput!) {
  confirmCheckout(input: $input) { payment { id status isFinal } } }`;
const REFUND = `mutation ($input: RefundPaymentInput!) {
  refundPayment(input: $input) { refund { id status amount { amount } total { amount } payment { id refundedAmount { amount } } } } }`;

/** What the simulators were told to play: by our merchant's id, and in the network's own list of stores. */
interface Plays {
  readonly wallet: Record<string, string>;
  readonly network: Store[];
}

async function serveRoutes(subgraphs: readonly Subgraph[], ears: { readonly areOpen: boolean }): Promise<Server> {
  const server = createServer((request, response) => {
    const route = subgraphs.flatMap(({ routes }) => routes).find(({ path }) => path === request.url);
    const answer = route && ears.areOpen ? answerRoute(route, request) : Promise.resolve({ status: 503 });
    void answer.catch(() => ({ status: 500 })).then((reply) => send(response, reply));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface PossiblyTransient {
  readonly errors?: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[] | undefined;
}

const MOST_ATTEMPTS = 10;

/** Asks as a client should: again, with the same idempotency key, while it is told that this may help. */
async function patiently<Answer extends PossiblyTransient>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    const isTransient = answer.errors?.every(({ extensions }) => extensions?.['transient'] === true) ?? false;
    if (!isTransient || attempt === MOST_ATTEMPTS) return answer;
    await delay(300);
  }
}
